"""The anytime-valid intervals of 10,000 values, and those of a study's looks, against confseq, or the literal way."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, Size, median_seconds
from pipeline.interval.capital import sequence_at
from pipeline.interval.share_sequence import share_sequence_at
from pipeline.study.pool import look_counts

CONFIDENCE = 0.95
# Values, and candidates of the peer's grid.
N, SMALL_N = 10_000, 1_000
CANDIDATES, SMALL_CANDIDATES = 1_000, 200

Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio of all counts, then those of the looks of study=until to today's sequence without an aim."""
    n, candidates = (SMALL_N, SMALL_CANDIDATES) if size == "small" else (N, CANDIDATES)
    values = np.minimum(np.random.default_rng(0).lognormal(-3, 1.5, n), 1.0)
    other, peer = f"a loop over {candidates:,} candidates (confseq is not installed)", _literal
    if size == "small":
        other = f"a loop over {candidates:,} candidates"
    elif importlib.util.find_spec("confseq") is not None:
        other, peer = "confseq's betting_cs", _confseq
    works: dict[str, Callable[[], object]] = {
        "batchscope": lambda: sequence_at(values, np.arange(1, n + 1), confidence=CONFIDENCE),
        "peer": lambda: peer(values, candidates),
    }
    _refuse_difference(sequence_at(values, np.arange(1, n + 1), confidence=CONFIDENCE), peer(values, candidates))
    seconds = median_seconds(works, repeats=1 if size == "small" else 5)
    yield Row(f"betting sequence at every t of {n:,} values / {other}", seconds["batchscope"] / seconds["peer"], 0.1)
    yield from _looks(n, repeats=1 if size == "small" else 5)


def _looks(n: int, *, repeats: int) -> Iterator[Row]:
    """Look after look, each from all the values so far, as the study does; of N = 10 n rows."""
    rng = np.random.default_rng(1)
    losses, right = np.minimum(rng.lognormal(-3, 1.5, n), 1.0), (rng.random(n) < 0.9).astype(np.float64)
    counts = list(look_counts(n, block=50, growth=1.2))

    def looked(made: Callable[..., Ends], values: NDArray[np.float64], within: float | None) -> Callable[[], object]:
        asked = {"confidence": CONFIDENCE, "population_size": 10 * n, "within": within}
        return lambda: [made(values[:count], np.array([count]), **asked) for count in counts]

    seconds = median_seconds(
        {
            "plain": looked(sequence_at, losses, None),
            "loss": looked(sequence_at, losses, 0.005),
            "share": looked(share_sequence_at, right, 0.02),
        },
        repeats=repeats,
    )
    what = f"{len(counts)} looks at up to {n:,} rows"
    yield Row(f"losses with an aim, {what} / without", seconds["loss"] / seconds["plain"], 3.0)
    yield Row(f"shares with an aim, {what} / betting on losses", seconds["share"] / seconds["plain"], 10.0)


def _refuse_difference(ours: Ends, theirs: Ends) -> None:
    """The stakes are cut in other ways, and the peer's candidates are a grid: the widths may differ, if not by much."""
    for count in {100, 1_000, len(ours[0])}:
        mine, yours = (float(high[count - 1] - low[count - 1]) for low, high in (ours, theirs))
        if not 0.6 < mine / yours < 1.2:
            raise ValueError(f"the peer must find such an interval as ours at n = {count}; found {mine} and {yours}")


def _literal(values: NDArray[np.float64], candidates: int) -> Ends:
    """As the paper has it  [Waudby-Smith & Ramdas 2023, theorem 3, eq. 26], a candidate at a time over all t."""
    mark = math.log(2 / (1 - CONFIDENCE))
    t = np.arange(1, len(values) + 1)
    mean = (0.5 + np.cumsum(values)) / (t + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (t + 1)
    stake = np.sqrt(2 * mark / (np.append(0.25, variance[:-1]) * t * np.log(t + 1)))
    grid = np.linspace(0, 1, candidates)
    low, high = np.zeros(len(t)), np.ones(len(t))
    for m in grid:
        for ends, sign, most in ((low, 1, 0.5 / max(m, 1e-12)), (high, -1, 0.5 / max(1 - m, 1e-12))):
            refused = np.cumsum(np.log1p(sign * np.minimum(stake, most) * (values - m))) >= mark
            if refused.any():
                first = int(refused.argmax())
                ends[first:] = np.maximum(low[first:], m) if sign > 0 else np.minimum(high[first:], m)
    return low, high


def _confseq(values: NDArray[np.float64], candidates: int) -> Ends:
    from confseq.betting import betting_cs  # type: ignore[import-not-found]

    low, high = betting_cs(values, alpha=1 - CONFIDENCE, breaks=candidates, running_intersection=True)
    return np.asarray(low), np.asarray(high)
