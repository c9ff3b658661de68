"""Rows to scores: blocks of inputs through the classifier, loss and accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.accuracy import is_correct, is_tied
from pipeline.loss import cross_entropy
from pipeline.model.base import Classifier
from pipeline.records import Dataset, Scores

BLOCK = 1024


def score(
    classifier: Classifier, dataset: Dataset, rows: NDArray[np.intp] | None = None, *, cap: float | None = None
) -> Scores:
    """Score rows of a data set, in blocks.

    Parameters
    ----------
    classifier : Classifier
        Gives the logits.
    dataset : Dataset
        The population.
    rows : ndarray of int, shape (n,), or None
        Which rows, in which order; None is all of them in order.
    cap : float or None
        Losses above it count as it, in nats.

    Returns
    -------
    Scores
        Of the n rows.
    """
    raise NotImplementedError
