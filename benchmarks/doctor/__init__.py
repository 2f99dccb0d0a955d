"""Training faults injected on purpose: does the doctor name them, and keep silent where nothing is wrong?"""
