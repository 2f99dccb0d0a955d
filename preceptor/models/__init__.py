"""Tensor to tensor: plain modules, one family a file."""
