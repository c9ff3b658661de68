"""Rows to scores: blocks of inputs through the classifier, loss and accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline import cores
from pipeline.accuracy import is_correct, is_tied
from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.model.base import Classifier
from pipeline.records import Dataset, FloatArray, IntArray, Scores

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

# Rows the classifier is given at once: a block's pixels as float32 stay in a core's own cache.
BLOCK = 1024
# Blocks whose logits a thread scores at once, at most: few long NumPy calls, for between two of them threads wait for
# each other's interpreter lock.
_STRIPE = 8


def score(
    classifier: Classifier, dataset: Dataset, rows: IntArray | None = None, *, cap: float | None = None
) -> Scores:
    """Score rows of a data set, in fixed blocks on all cores; the figures do not depend on how many there are.

    Parameters
    ----------
    classifier : Classifier
        Gives the logits; what its `from_stored` returns is called from several threads at once.
    dataset : Dataset
        The population.
    rows : ndarray of int, shape (n,), or None
        Which rows, in which order; None is all of them in order.
    cap : float or None
        Losses above it count as it, in nats.

    Returns
    -------
    Scores
        Of the n rows. A loss is inf where the model holds the true class impossible (and there is no cap).

    Raises
    ------
    BadInput
        If a row's logits make no probabilities: one of them is NaN or +inf, or all are -inf.
    """
    size = len(dataset) if rows is None else len(rows)
    loss, correct = np.empty(size), np.empty(size, dtype=np.bool_)
    forward = classifier.from_stored(dataset.scale)

    def score_stripe(stripe: tuple[int, int]) -> int:
        start, stop = stripe
        chosen: slice | IntArray = slice(start, stop) if rows is None else rows[start:stop]
        logits, labels = _in_blocks(forward, dataset.inputs[chosen]), dataset.labels[chosen]
        with np.errstate(invalid="ignore"):
            loss[start:stop] = cross_entropy(logits, labels)
        correct[start:stop] = is_correct(logits, labels)
        return int(np.count_nonzero(is_tied(logits)))

    ties = sum(_on_all_cores(score_stripe, _stripes(size)))
    _refuse_nan(loss, rows)
    capped = 0
    if cap is not None:
        capped = int(np.count_nonzero(loss > cap))
        np.minimum(loss, cap, out=loss)
    return Scores(loss, correct, ties=ties, capped=capped)


def confidence_and_entropy(classifier: Classifier, dataset: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the model says of itself for every row, without a look at the labels.

    Returns
    -------
    confidence : ndarray of float64, shape (N,)
        The largest softmax probability, 1/k … 1.
    entropy : ndarray of float64, shape (N,)
        -Σ p log p of the softmax probabilities, nats, 0 … log k.

    Raises
    ------
    BadInput
        If a row's logits make no probabilities.
    """
    confidence, entropy = np.empty(len(dataset)), np.empty(len(dataset))
    forward = classifier.from_stored(dataset.scale)

    def look_at(stripe: tuple[int, int]) -> int:
        chosen = slice(*stripe)
        logits = _in_blocks(forward, dataset.inputs[chosen]).astype(np.float64)
        with np.errstate(invalid="ignore"):
            shifted = logits - logits.max(axis=1, keepdims=True)
            exponents = np.exp(shifted)
            total = exponents.sum(axis=1)
            confidence[chosen] = 1 / total
            # A probability of 0 adds 0 to the entropy, though its logarithm is -inf.
            finite = np.where(exponents > 0, shifted, 0.0)
            entropy[chosen] = np.log(total) - (exponents * finite).sum(axis=1) / total
        return 0

    _on_all_cores(look_at, _stripes(len(dataset)))
    _refuse_nan(confidence, None)
    return confidence, np.maximum(entropy, 0.0)


def _stripes(size: int) -> list[tuple[int, int]]:
    """Share the blocks out evenly; the number of stripes is a multiple of 4, so that 2 or 4 cores get equal shares."""
    n_blocks = math.ceil(size / BLOCK)
    n_stripes = max(1, min(n_blocks, 4 * math.ceil(n_blocks / (4 * _STRIPE))))
    return list(pairwise(min(size, BLOCK * (i * n_blocks // n_stripes)) for i in range(n_stripes + 1)))


def _in_blocks(forward: Callable[[NDArray[Any]], FloatArray], inputs: NDArray[Any]) -> FloatArray:
    """Logits of a stripe, block by block; as a view (n, k) of a contiguous (k, n), which loss and accuracy work on."""
    if len(inputs) <= BLOCK:
        return forward(inputs)
    blocks = [forward(inputs[start : start + BLOCK]).T for start in range(0, len(inputs), BLOCK)]
    return np.concatenate(blocks, axis=1).T


def _on_all_cores(work: Callable[[tuple[int, int]], int], stripes: list[tuple[int, int]]) -> list[int]:
    # NumPy's element-wise work runs on one core: a thread a core over stripes, each with BLAS held to its own core,
    # beats BLAS on all cores followed by element-wise work on one. A single stripe is held to one core too: BLAS
    # threads that have worked keep spinning, and slow down what comes next, a hundredfold on a busy machine.
    with _thread_pools().limit(limits=1, user_api="blas"):
        if len(stripes) == 1:
            return [work(stripes[0])]
        pool = ThreadPoolExecutor(min(cores.count(), len(stripes)))
        try:
            return list(pool.map(work, stripes))
        finally:
            # After Ctrl-C the stripes that wait are not begun.
            pool.shutdown(cancel_futures=True)


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    # Looking for the loaded libraries takes milliseconds, so it is done once.
    return ThreadpoolController()


def _refuse_nan(loss: NDArray[np.float64], rows: IntArray | None) -> None:
    missing = np.isnan(loss)
    if missing.any():
        first = int(missing.argmax())
        row = first if rows is None else int(rows[first])
        raise BadInput(
            f"the model's logits must be finite or -inf, at least one of them finite; found none such in "
            f"{np.count_nonzero(missing):,} of {len(loss):,} rows, first in row {row}: check the model's weights"
        )
