"""One symptom a file: evidence becomes a Finding."""
