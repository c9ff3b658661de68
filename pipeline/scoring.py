"""Rows to scores: blocks of inputs through the classifier, loss and accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline import cores
from pipeline.accuracy import is_correct, is_tied
from pipeline.errors import BadInput
from pipeline.loss import checked_classes, cross_entropy, cross_entropy_of_probabilities
from pipeline.metric.base import Metric
from pipeline.model.base import Classifier, unchanged
from pipeline.records import Block, Dataset, IntArray, Population, Scores

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")
U = TypeVar("U")

# How far a row of probabilities may be off from 1: what rounding to four digits may do to ten of them.
SUM_TOLERANCE = 1e-3

# Rows the classifier is given at once: a block's pixels as float32 stay in a core's own cache.
BLOCK = 1024
# Blocks whose logits a thread scores at once, at most: few long NumPy calls, for between two of them threads wait for
# each other's interpreter lock.
_STRIPE = 8


def score(
    classifier: Classifier,
    dataset: Population,
    rows: IntArray | None = None,
    *,
    cap: float | None = None,
    further: Mapping[str, Metric] | None = None,
) -> Scores:
    """Score rows of a population, in fixed blocks on all cores; the figures do not depend on how many there are.

    Parameters
    ----------
    classifier : Classifier
        Gives the logits; what its `from_stored` returns is called from several threads at once.
    dataset : Population
        In memory, or on disk: then only the shards are read that hold the rows.
    rows : ndarray of int, shape (n,), or None
        Which rows, in which order; None is all of them in order.
    cap : float or None
        Losses above it count as it, in nats.
    further : mapping of str to Metric, or None
        Metrics besides loss and accuracy.

    Returns
    -------
    Scores
        Of the n rows. A loss is inf where the model holds the true class impossible (and there is no cap).

    Raises
    ------
    BadInput
        If a row's logits make no probabilities: one of them is NaN or +inf, or all are -inf; or its probabilities do
        not sum to 1.
    """
    judge = Judge(classifier, dataset.scale, cap, further or {})
    if rows is None and not isinstance(dataset, Dataset):
        return joined(on_all_cores(lambda shard: score_shard(judge, dataset, shard), range(len(dataset.bounds) - 1)))
    if not isinstance(dataset, Dataset):
        assert rows is not None
        return _scored_rows(judge, dataset.take(rows), lambda row: dataset.where(int(rows[row])))
    if rows is None:
        return _scored_rows(judge, dataset.take(slice(None)), dataset.where)
    # Stripe by stripe, for all of them together might not fit into memory once more.
    return _scored_rows(judge, dataset, lambda row: dataset.where(int(rows[row])), rows)


def _scored_rows(
    judge: Judge, held: Block | Dataset, where: Callable[[int], str], rows: IntArray | None = None
) -> Scores:
    def score_stripe(stripe: tuple[int, int]) -> Scores:
        start, stop = stripe
        chosen: slice | IntArray = slice(start, stop) if rows is None else rows[start:stop]
        part = Block(held.inputs[chosen], None if held.labels is None else held.labels[chosen])
        return judge(part, where=lambda row: where(start + row))

    found = joined(on_all_cores(score_stripe, _stripes(len(held.inputs) if rows is None else len(rows))))
    refuse_nan(found, where)
    return found


def score_shard(judge: Judge, dataset: Population, shard: int) -> Scores:
    """Score one shard of a population; the figures depend on nothing else.

    Raises
    ------
    BadInput
        As `score`.
    """
    first = int(dataset.bounds[shard])
    parts: list[Scores] = []
    for block in dataset.read(shard):
        where = _offset(dataset.where, first)
        parts.append(judge(block, where=where))
        refuse_nan(parts[-1], where)
        first += len(block.inputs)
    return joined(parts)


def _offset(where: Callable[[int], str], first: int) -> Callable[[int], str]:
    return lambda row: where(first + row)


@dataclass(frozen=True, eq=False)
class Judge:
    """From a block of rows to its scores.

    Attributes
    ----------
    classifier : Classifier
    scale : float
        Of the inputs as stored.
    cap : float or None
        Losses above it count as it, nats.
    further : mapping of str to Metric
        Metrics besides loss and accuracy.
    """

    classifier: Classifier
    scale: float
    cap: float | None
    further: Mapping[str, Metric]

    @cached_property
    def _forward(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        return self.classifier.from_stored(self.scale)

    def __call__(self, block: Block, *, where: Callable[[int], str]) -> Scores:
        """Score a block of rows; `where` says for an error which of them a row is."""
        starts = range(0, max(len(block.inputs), 1), _STRIPE * BLOCK)
        if len(starts) == 1:
            return self._scored(block, where)
        parts = []
        for start in starts:
            own = slice(start, start + _STRIPE * BLOCK)
            part = Block(block.inputs[own], None if block.labels is None else block.labels[own])
            parts.append(self._scored(part, _offset(where, start)))
        return joined(parts)

    def _scored(self, block: Block, where: Callable[[int], str]) -> Scores:
        gives, labels = self.classifier.gives, block.labels
        outputs = _in_blocks(self._forward, block.inputs)
        if gives == "scores":
            return self._capped(dict(zip(self.classifier.metrics, outputs.T, strict=True)))
        assert labels is not None
        if gives == "labels":
            truth = labels.argmax(axis=1) if labels.ndim == 2 else labels
            return Scores(None, outputs == truth)
        if gives == "probabilities" and not self.classifier.is_checked:
            refuse_sums(outputs, where)
        loss, correct, ties = _judged(outputs, labels, gives)
        columns = {"loss": loss, "accuracy": correct}
        for name, metric in self.further.items():
            columns[name] = metric.values(outputs, labels, gives=gives)
        return self._capped(columns, ties=ties)

    def _capped(self, columns: dict[str, NDArray[Any]], ties: int = 0) -> Scores:
        loss, correct, capped = columns.pop("loss", None), columns.pop("accuracy", None), 0
        if loss is not None and self.cap is not None:
            capped = int(np.count_nonzero(loss > self.cap))
            loss = np.minimum(loss, self.cap)
        right = None if correct is None else correct.astype(np.bool_, copy=False)
        return Scores(loss, right, further=columns, ties=ties, capped=capped)


def _judged(
    outputs: NDArray[Any], labels: NDArray[Any], gives: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Loss, whether right, and the number of ties of a block of rows."""
    if gives == "logits" and labels.ndim == 1:
        return judge_logits(outputs, labels)
    with np.errstate(invalid="ignore"):
        loss = (cross_entropy if gives == "logits" else cross_entropy_of_probabilities)(outputs, labels)
    return loss, is_correct(outputs, labels), int(np.count_nonzero(is_tied(outputs)))


def judge_logits(
    logits: NDArray[Any], labels: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Judge rows by integer labels in one pass: `cross_entropy`, `is_correct` and `is_tied`, to the last bit.

    Parameters
    ----------
    logits : ndarray of float32 or float64, shape (n, k)
        Fastest as a view of a contiguous (k, n) that stays in a core's cache.
    labels : ndarray of int, shape (n,)
        The true classes 0 … k - 1.

    Returns
    -------
    loss : ndarray of float64, shape (n,)
        In nats; nan where the logits make no probabilities: then the rest is not to be relied on.
    correct : ndarray of bool, shape (n,)
        A tie goes to the lowest class.
    ties : int
        Rows whose largest logit two or more classes share.

    Raises
    ------
    ValueError
        If a label is no class.
    """
    turned = np.ascontiguousarray(logits.T)
    classes = checked_classes(labels, *reversed(turned.shape))
    with np.errstate(invalid="ignore", under="ignore"):
        shifted = turned - turned.max(axis=0)
        own = shifted.ravel().take(classes * len(classes) + np.arange(len(classes)))
        is_largest = shifted == 0
        correct, ties = own == 0, 0
        # Each row has a largest logit; more of them in all than rows, and some are shared.
        if np.count_nonzero(is_largest) > len(classes):
            tied = np.flatnonzero(is_largest.sum(axis=0) > 1)
            correct[tied] = is_largest[:, tied].argmax(axis=0) == classes[tied]
            ties = len(tied)
        np.exp(shifted, out=shifted)
        return np.log(shifted.sum(axis=0, dtype=np.float64)) - own, correct, ties


def joined(parts: Sequence[Scores]) -> Scores:
    """Put scores of consecutive rows together."""
    if len(parts) == 1:
        return parts[0]
    columns = {m: np.concatenate([part.columns[m] for part in parts]) for m in parts[0].metrics}
    ties, capped = sum(part.ties for part in parts), sum(part.capped for part in parts)
    return Scores(columns.pop("loss", None), columns.pop("accuracy", None), further=columns, ties=ties, capped=capped)


def refuse_sums(probabilities: NDArray[Any], where: Callable[[int], str], tolerance: float = SUM_TOLERANCE) -> None:
    """Refuse rows of probabilities that do not sum to 1, or are below 0; nothing is normalised.

    Raises
    ------
    BadInput
        With the first such row, and by how much it is off.
    """
    sums = probabilities.sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(sums - 1) <= tolerance) | (probabilities.min(axis=1) < 0)
    if wrong.any():
        row = int(wrong.argmax())
        found = f"{sums[row] - 1:+.3g} off" if probabilities[row].min() >= 0 else f"{probabilities[row].min():.3g}"
        raise BadInput(
            f"probabilities must be 0 or more and sum to 1 within {tolerance:g}; found {found} in {where(row)}: mend "
            "that row, or give logits"
        )


def confidence_and_entropy(
    classifier: Classifier, dataset: Population
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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
        If a row's logits make no probabilities, or the model gives neither.
    """
    if classifier.gives not in ("logits", "probabilities"):
        raise BadInput(
            f"a proxy by the model's confidence needs its logits or probabilities; found {classifier.gives} alone: "
            "choose another proxy, or a design that needs none"
        )
    confidence, entropy = np.empty(len(dataset)), np.empty(len(dataset))
    forward = classifier.from_stored(dataset.scale)

    def look_at(shard: int) -> None:
        start = int(dataset.bounds[shard])
        for block in dataset.read(shard):
            for first in range(0, len(block.inputs), _STRIPE * BLOCK):
                outputs = _in_blocks(forward, block.inputs[first : first + _STRIPE * BLOCK]).astype(np.float64)
                chosen = slice(start + first, start + first + len(outputs))
                confidence[chosen], entropy[chosen] = _certainty(outputs, classifier.gives)
            start += len(block.inputs)

    on_all_cores(look_at, range(len(dataset.bounds) - 1))
    refuse_nan(Scores(confidence, None), dataset.where)
    return confidence, np.maximum(entropy, 0.0)


def _certainty(outputs: NDArray[np.float64], gives: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidence and entropy of a block of rows."""
    if gives == "probabilities":
        return outputs.max(axis=1), -special.xlogy(outputs, outputs).sum(axis=1)
    with np.errstate(invalid="ignore"):
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        exponents = np.exp(shifted)
        total = exponents.sum(axis=1)
        # A probability of 0 adds 0 to the entropy, though its logarithm is -inf.
        finite = np.where(exponents > 0, shifted, 0.0)
        return 1 / total, np.log(total) - (exponents * finite).sum(axis=1) / total


def _stripes(size: int) -> list[tuple[int, int]]:
    """Share the blocks out evenly; the number of stripes is a multiple of 4, so that 2 or 4 cores get equal shares."""
    n_blocks = math.ceil(size / BLOCK)
    n_stripes = max(1, min(n_blocks, 4 * math.ceil(n_blocks / (4 * _STRIPE))))
    return list(pairwise(min(size, BLOCK * (i * n_blocks // n_stripes)) for i in range(n_stripes + 1)))


def _in_blocks(forward: Callable[[NDArray[Any]], NDArray[Any]], inputs: NDArray[Any]) -> NDArray[Any]:
    """Outputs of a stripe, block by block; as a view (n, k) of a contiguous (k, n), which loss and accuracy work on."""
    if forward is unchanged or len(inputs) <= BLOCK:
        return forward(inputs)
    blocks = [forward(inputs[start : start + BLOCK]).T for start in range(0, len(inputs), BLOCK)]
    return np.concatenate(blocks, axis=-1).T


def on_all_cores(work: Callable[[T], U], stripes: Sequence[T]) -> list[U]:
    """Do a piece of work for each stripe, a thread a core, with BLAS held to one thread; return what came of each."""
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


def refuse_nan(scores: Scores, where: Callable[[int], str]) -> None:
    """Refuse rows whose values are no numbers.

    Raises
    ------
    BadInput
        With how many there are, and the first.
    """
    for metric, column in scores.columns.items():
        if column.dtype == np.bool_:
            continue
        missing = np.isnan(column)
        if missing.any():
            what = (
                "logits must be finite or -inf, at least one of them finite"
                if metric == "loss"
                else f"{metric} must be a number"
            )
            raise BadInput(
                f"the model's {what}; found none such in {np.count_nonzero(missing):,} of {len(column):,} rows, first "
                f"in {where(int(missing.argmax()))}: check the model's weights"
            )
