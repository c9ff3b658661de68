"""Rows to scores: a population's shards, or rows of it, scored on all cores."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..model.base import Classifier
from ..records.rows import Block, Dataset, IntArray, Population
from ..records.scores import Scores
from ..runtime.cores import on_all_cores
from .block import BLOCK, BlockScorer, RowFunction, main_functions

# Blocks whose logits a thread scores at once, at most: few long NumPy calls, for between two of them threads wait for
# each other's interpreter lock.
_STRIPE = 32
# Rows read from disk together, where only some are asked for.
_TAKEN_AT_ONCE = 1 << 17


def score(
    classifier: Classifier,
    dataset: Population,
    rows: IntArray | None = None,
    *,
    cap: float | None = None,
    functions: Mapping[str, RowFunction] | None = None,
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
    functions : mapping of str to callable, or None
        What is evaluated of a row, by metric; None is the loss and the accuracy.

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
    scorer = BlockScorer(classifier, dataset.scale, cap, functions or main_functions())
    if isinstance(dataset, Dataset):
        if rows is None:
            return _scored_rows(scorer, dataset.take(slice(None)), dataset.where)
        # Stripe by stripe, for all of them together might not fit into memory once more.
        return _scored_rows(scorer, dataset, lambda row: dataset.where(int(rows[row])), rows)
    if rows is not None:
        return _scored_from_disk(scorer, dataset, np.asarray(rows))
    buffer = ScoreBuffer(len(dataset))
    on_all_cores(
        lambda shard: _fill(buffer, scorer, dataset, shard, at=int(dataset.bounds[shard])),
        range(len(dataset.bounds) - 1),
    )
    refuse_nan(buffer.scores(), dataset.where)
    return buffer.scores()


def score_shard(scorer: BlockScorer, dataset: Population, shard: int, *, is_single: bool = False) -> Scores:
    """Score one shard of a population; the figures depend on nothing else.

    Parameters
    ----------
    scorer, dataset, shard : BlockScorer, Population, int
        What scores which rows.
    is_single : bool
        Whether the values are wanted as float32.

    Raises
    ------
    BadInput
        As `score`.
    """
    first, last = (int(bound) for bound in dataset.bounds[shard : shard + 2])
    buffer = ScoreBuffer(last - first, is_single=is_single)
    _fill(buffer, scorer, dataset, shard, at=0)
    refuse_nan(buffer.scores(), offset(dataset.where, first))
    return buffer.scores()


class ScoreBuffer:
    """The scores of n rows, written down part by part, in whatever order and from whichever thread.

    Parameters
    ----------
    rows : int
        n.
    is_single : bool
        Whether values are kept as float32 instead of the type in which they come.
    """

    def __init__(self, rows: int, *, is_single: bool = False) -> None:
        self._rows, self._is_single = rows, is_single
        self._columns: dict[str, NDArray[Any]] = {}
        self._ties = self._capped = 0
        self._lock = threading.Lock()

    def put(self, first: int, scores: Scores) -> None:
        """Write down the scores of consecutive rows, of which one is the first."""
        with self._lock:
            self._ties += scores.ties
            self._capped += scores.capped
            if not self._columns:
                self._columns = {m: np.empty(self._rows, self._dtype(found)) for m, found in scores.columns.items()}
        with np.errstate(over="ignore"):
            for metric, found in scores.columns.items():
                self._columns[metric][first : first + len(found)] = found

    def scores(self) -> Scores:
        """Return the scores of all rows."""
        return Scores.of(self._columns, ties=self._ties, capped=self._capped)

    def _dtype(self, found: NDArray[Any]) -> np.dtype[Any]:
        return np.dtype(np.float32) if self._is_single and found.dtype != np.bool_ else found.dtype


def _fill(buffer: ScoreBuffer, scorer: BlockScorer, dataset: Population, shard: int, *, at: int) -> None:
    """Write a shard's scores down, its first row's at a place."""
    first = int(dataset.bounds[shard])
    done = 0
    for block in dataset.read(shard):
        for part in _parts(block):
            buffer.put(at + done, scorer(part, where=offset(dataset.where, first + done)))
            done += len(part.inputs)


def _parts(block: Block) -> Iterator[Block]:
    for start in range(0, len(block.inputs), _STRIPE * BLOCK):
        own = slice(start, start + _STRIPE * BLOCK)
        yield Block(block.inputs[own], None if block.labels is None else block.labels[own])


def _scored_rows(
    scorer: BlockScorer, held: Block | Dataset, where: Callable[[int], str], rows: IntArray | None = None
) -> Scores:
    size = len(held.inputs) if rows is None else len(rows)
    buffer = ScoreBuffer(size)

    def score_stripe(stripe: tuple[int, int]) -> None:
        start, stop = stripe
        chosen: slice | IntArray = slice(start, stop) if rows is None else rows[start:stop]
        part = Block(held.inputs[chosen], None if held.labels is None else held.labels[chosen])
        buffer.put(start, scorer(part, where=offset(where, start)))

    on_all_cores(score_stripe, _stripes(size))
    refuse_nan(buffer.scores(), where)
    return buffer.scores()


def _scored_from_disk(scorer: BlockScorer, dataset: Population, rows: IntArray) -> Scores:
    order = np.argsort(rows, kind="stable")
    wanted = rows[order]
    buffer = ScoreBuffer(len(rows))
    for start, stop in _pieces(np.searchsorted(wanted, dataset.bounds[1:]).tolist()):
        piece = wanted[start:stop]
        buffer.put(start, _scored_rows(scorer, dataset.take(piece), _among(dataset.where, piece)))
    found = buffer.scores()
    asked = found.take(np.argsort(order, kind="stable"))
    asked.ties, asked.capped = found.ties, found.capped
    return asked


def _pieces(ends: list[int]) -> Iterator[tuple[int, int]]:
    """Put the sorted rows of whole shards together until the next shard's would be too many for memory."""
    start = 0
    for end, after in pairwise([*ends, math.inf]):
        # Yield one empty piece where there are no rows, so that the result has its columns.
        if after - start > _TAKEN_AT_ONCE and (end > start or (after == math.inf and start == 0)):
            yield start, int(end)
            start = int(end)


def _among(where: Callable[[int], str], rows: IntArray) -> Callable[[int], str]:
    return lambda row: where(int(rows[row]))


def offset(where: Callable[[int], str], first: int) -> Callable[[int], str]:
    """Return a function that names rows by their place among rows of which one is the first."""
    return lambda row: where(first + row)


def _stripes(size: int) -> list[tuple[int, int]]:
    """Share the blocks out evenly; the number of stripes is a multiple of 4, so that 2 or 4 cores get equal shares."""
    n_blocks = math.ceil(size / BLOCK)
    n_stripes = max(1, min(n_blocks, 4 * math.ceil(n_blocks / (4 * _STRIPE))))
    return list(pairwise(min(size, BLOCK * (i * n_blocks // n_stripes)) for i in range(n_stripes + 1)))


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
