"""Why it answers so, and where it fails: looked at on the exam's rows; chooses nothing."""

from preceptor.explain.examples import examples
from preceptor.explain.importance import importance_rows, permutation_importance
from preceptor.explain.slices import slices
from preceptor.explain.subject import Subject

__all__ = ["Subject", "examples", "importance_rows", "permutation_importance", "slices"]
