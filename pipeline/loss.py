"""Cross-entropy loss in nats, one value an example; the caller reduces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# From a probability of the true class, the loss is -log p; np.log(0) = -inf is meant, not an accident.
_ZERO_IS_INFINITE = {"divide": "ignore"}


def of_block(outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
    """Loss of each row of a block of a model's outputs: the stage that a run evaluates.

    Parameters
    ----------
    outputs : ndarray of float, shape (n, k)
        Fastest as a view of a contiguous (k, n) that stays in a core's cache.
    labels : ndarray, shape (n,) of int or (n, k) of float
        The true classes 0 … k - 1, or a row of label probabilities each.
    gives : str
        What `outputs` are: ``logits`` or ``probabilities``.

    Returns
    -------
    ndarray of float64, shape (n,)
        In nats, 0 … inf; nan where the outputs make no probabilities.

    Raises
    ------
    ValueError
        If the shapes do not match or an integer label is no class.
    """
    with np.errstate(invalid="ignore"):
        return (cross_entropy if gives == "logits" else cross_entropy_of_probabilities)(outputs, labels)


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Cross-entropy of each example, from logits; the shape of the labels tells their encoding.

    ``loss_i = Σ_j t_ij (log Σ_l exp z_il - z_ij)``  [Bishop 2006, PRML, eq. 4.108, with the softmax of eq. 4.104]

    Parameters
    ----------
    logits : array_like of float, shape (n, k)
        Unnormalised log-probabilities; -inf is a probability of 0.
    labels : array_like, shape (n,) of int or (n, k) of float
        The true classes 0 … k - 1, or a row of label probabilities (one-hot or soft) each.

    Returns
    -------
    ndarray of float64, shape (n,)
        In nats, 0 … inf for integer and one-hot labels; inf where the true class has the probability 0.

    Raises
    ------
    ValueError
        If the shapes do not match or an integer label is no class.

    Examples
    --------
    >>> cross_entropy([[0.0, 0.0], [1e4, -1e4]], [0, 1]).round(4).tolist()
    [0.6931, 20000.0]
    """
    if np.ndim(labels) == 2:
        return cross_entropy_with_label_probabilities(logits, labels)
    return cross_entropy_with_integer_labels(logits, labels)


def cross_entropy_with_integer_labels(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Cross-entropy of each example, from logits and true classes; see `cross_entropy`."""
    shifted = _shifted(_matrix(logits, "logits"))
    classes = checked_classes(labels, *reversed(shifted.shape))
    own = shifted.ravel().take(classes * len(classes) + np.arange(len(classes)))
    return _log_sum_exp(shifted, out=shifted) - own


def cross_entropy_with_label_probabilities(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Cross-entropy of each example, from logits and label probabilities (one-hot or soft); see `cross_entropy`."""
    shifted = _shifted(_matrix(logits, "logits"))
    log_sum = _log_sum_exp(shifted)
    weights = _same_shape(labels, shifted.shape[::-1]).T
    # A class of label probability 0 adds nothing, even where its loss is infinite (0 · inf is nan).
    with np.errstate(invalid="ignore"):
        terms = np.where(weights == 0, 0.0, weights * (log_sum - shifted))
    return terms.sum(axis=0, dtype=np.float64)


def cross_entropy_of_probabilities(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Cross-entropy of each example, from probabilities as they are: nothing is normalised.

    ``loss_i = -Σ_j t_ij log y_ij``  [Bishop 2006, PRML, eq. 4.108]

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k)
        The model's, 0 … 1; NaN gives NaN.
    labels : array_like, shape (n,) of int or (n, k) of float
        The true classes 0 … k - 1, or a row of label probabilities (one-hot or soft) each.

    Returns
    -------
    ndarray of float64, shape (n,)
        In nats; inf where the true class has the probability 0.

    Raises
    ------
    ValueError
        If the shapes do not match or an integer label is no class.

    Examples
    --------
    >>> cross_entropy_of_probabilities([[0.1, 0.9], [0.5, 0.5]], [1, 0]).round(4).tolist()
    [0.1054, 0.6931]
    """
    rows = _matrix(probabilities, "probabilities")
    with np.errstate(**_ZERO_IS_INFINITE, invalid="ignore"):  # type: ignore[arg-type]
        if np.ndim(labels) == 2:
            weights = _same_shape(labels, rows.shape)
            return np.where(weights == 0, 0.0, -weights * np.log(rows.astype(np.float64))).sum(axis=1)
        classes = checked_classes(labels, *rows.shape)
        # From below 0 in rounding: a probability stored as 1.0000001 has no loss.
        return np.maximum(-np.log(rows[np.arange(len(classes)), classes].astype(np.float64)), 0.0)


def mean_cross_entropy_with_one_hot_labels(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean cross-entropy of a batch, from probabilities and one-hot labels; soft labels are honoured.

    ``-(1/n) Σ_i Σ_j t_ij log y_ij``  [Bishop 2006, PRML, eq. 4.108, divided by n]

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k), or (k,) for one example
        The model's, 0 … 1.
    labels : array_like of float, the same shape
        A row of label probabilities an example.

    Returns
    -------
    float
        In nats; inf where a class that the label holds possible has the probability 0.

    Raises
    ------
    ValueError
        If the shapes differ, nothing is given, or a probability is outside 0 … 1.

    Examples
    --------
    >>> round(mean_cross_entropy_with_one_hot_labels([0.1, 0.6, 0.3], [0, 1, 0]), 4)
    0.5108
    """
    rows = _probabilities(probabilities)
    weights = _same_shape(np.atleast_2d(np.asarray(labels)), rows.shape)
    with np.errstate(**_ZERO_IS_INFINITE, invalid="ignore"):  # type: ignore[arg-type]
        terms = np.where(weights == 0, 0.0, -weights * np.log(rows))
    return float(terms.sum(axis=1, dtype=np.float64).mean())


def mean_cross_entropy_with_integer_labels(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean cross-entropy of a batch, from probabilities and true classes.

    ``-(1/n) Σ_i log y_i,t(i)``

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k), or (k,) for one example
        The model's, 0 … 1.
    labels : array_like of int, shape (n,), or a number for one example
        The true classes, 0 … k - 1.

    Returns
    -------
    float
        In nats; inf where a true class has the probability 0.

    Raises
    ------
    ValueError
        If the shapes do not match, nothing is given, a label is no class, or a probability is outside 0 … 1.

    Examples
    --------
    >>> round(mean_cross_entropy_with_integer_labels([[0.1, 0.9], [0.5, 0.5]], [1, 0]), 4)
    0.3993
    """
    rows = _probabilities(probabilities)
    classes = checked_classes(np.atleast_1d(np.asarray(labels)), *rows.shape)
    with np.errstate(**_ZERO_IS_INFINITE):  # type: ignore[arg-type]
        return float((-np.log(rows[np.arange(len(classes)), classes])).mean(dtype=np.float64))


def _shifted(logits: NDArray[Any]) -> NDArray[Any]:
    """Shift each row's largest logit to 0, so that exp cannot overflow; return them as (k, n)."""
    # NumPy reduces a short last axis slowly: transposed, the n values of a class lie side by side.
    transposed = np.ascontiguousarray(logits.T)
    return transposed - transposed.max(axis=0)


def _log_sum_exp(shifted: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """Return log Σ exp of each column of shifted logits (k, n); `out` may take the exponentials."""
    with np.errstate(under="ignore"):
        return np.log(np.exp(shifted, out=out).sum(axis=0, dtype=np.float64))


def _matrix(values: ArrayLike, what: str) -> NDArray[Any]:
    found = np.asarray(values)
    if found.ndim != 2 or found.shape[1] == 0:
        raise ValueError(f"{what} must have the shape (n, k); found {found.shape}")
    return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def checked_classes(labels: ArrayLike, n: int, k: int) -> NDArray[np.integer[Any]]:
    """Return n integer labels as indices, each of them a class 0 … k - 1.

    Raises
    ------
    ValueError
        If they are not.
    """
    found = np.asarray(labels)
    if found.shape != (n,) or (found.dtype.kind not in "iu" and n > 0):
        raise ValueError(f"labels must be {n} integers; found {found.dtype} of shape {found.shape}")
    if n and not (found.min() >= 0 and found.max() < k):
        raise ValueError(f"labels must be 0 to {k - 1}; found {found.min()} to {found.max()}")
    return found.astype(np.intp, copy=False)


def _same_shape(labels: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    found = np.asarray(labels, dtype=np.float64)
    if found.shape != shape:
        raise ValueError(f"labels must have the shape {shape} of the predictions; found {found.shape}")
    return found


def _probabilities(values: ArrayLike) -> NDArray[np.float64]:
    found = _matrix(np.atleast_2d(np.asarray(values)), "probabilities").astype(np.float64)
    if not len(found):
        raise ValueError("probabilities must have at least one row; found none")
    if not (found.min() >= 0 and found.max() <= 1):
        raise ValueError(f"probabilities must be 0 to 1; found {found.min()} to {found.max()}")
    return found
