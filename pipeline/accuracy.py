"""Whether each example is classified right; the share of them is the accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def is_correct(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Tell for each example whether its largest logit is the label's; a tie goes to the lowest class.

    Parameters
    ----------
    logits : array_like of float, shape (n, k)
        Or probabilities: only their order within a row counts.
    labels : array_like, shape (n,) of int or (n, k) of float
        The true classes 0 … k - 1, or a row of label probabilities each, whose largest (lowest on a tie) counts.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If the shapes do not match.

    Examples
    --------
    >>> is_correct([[1.0, 1.0], [0.2, 0.8]], [1, 1]).tolist()
    [False, True]
    """
    turned = _turned(logits)
    found = np.asarray(labels)
    classes = found.argmax(axis=1) if found.ndim == 2 and found.shape == turned.shape[::-1] else found
    if classes.shape != turned.shape[1:]:
        raise ValueError(f"labels must match the logits' shape {turned.shape[::-1]}; found {found.shape}")
    is_largest = turned == turned.max(axis=0)
    correct = is_largest[classes, np.arange(len(classes))]
    (tied,) = np.nonzero(correct & (is_largest.sum(axis=0) > 1))
    correct[tied] = is_largest[:, tied].argmax(axis=0) == classes[tied]
    return correct


def is_tied(logits: ArrayLike) -> NDArray[np.bool_]:
    """Tell for each example whether two or more classes share its largest logit.

    Parameters
    ----------
    logits : array_like of float, shape (n, k)
        Or probabilities.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> is_tied([[1.0, 1.0], [0.2, 0.8]]).tolist()
    [True, False]
    """
    turned = _turned(logits)
    return (turned == turned.max(axis=0)).sum(axis=0) > 1


def _turned(logits: ArrayLike) -> NDArray[Any]:
    found = np.asarray(logits)
    if found.ndim != 2 or found.shape[1] == 0:
        raise ValueError(f"logits must have the shape (n, k); found {found.shape}")
    # NumPy reduces a short last axis slowly: turned round, the n values of a class lie side by side.
    return np.ascontiguousarray(found.T)
