"""What flows through the pipeline: rows, scores, batches, learning curves."""

from .batches import Batch, Batches, Estimate, Strata
from .learning_curve import LearningCurve
from .rows import Block, Dataset, FloatArray, IntArray, Population
from .scores import Scores

__all__ = [
    "Batch",
    "Batches",
    "Block",
    "Dataset",
    "Estimate",
    "FloatArray",
    "IntArray",
    "LearningCurve",
    "Population",
    "Scores",
    "Strata",
]
