"""Augmentation (B6): training examples as they might also have been, made up anew in every epoch."""

from preceptor.augmentation.choice import changes_for, strip
from preceptor.augmentation.picture import Augmenter

__all__ = ["Augmenter", "changes_for", "strip"]
