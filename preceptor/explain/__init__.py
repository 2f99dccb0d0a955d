"""Why it answers so, and where it fails: looked at on the exam's rows, after the verdict, choosing nothing."""

from preceptor.explain.importance import importance_rows, permutation_importance
from preceptor.explain.slices import slices

__all__ = ["importance_rows", "permutation_importance", "slices"]
