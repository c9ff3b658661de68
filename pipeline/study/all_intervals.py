"""Every interval around every draw, and how often each held a value that is known."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..estimation.draws import batches_with_values, draw_batches, misses
from ..estimation.scored_units import ScoredUnits
from ..experiment import Stages
from ..interval import accuracy, loss
from ..interval.base import Interval
from ..metric.base import Metric
from ..records.batches import Batches


def members_of(metric: Metric) -> Mapping[str, type[Any]]:
    """Return the intervals that there are for a metric: those for shares, or those for means of any values."""
    return accuracy.MEMBERS if metric.is_share else loss.MEMBERS


# A metric and the name of one of its intervals.
Key = tuple[str, str]


@dataclass(eq=False)
class Ends:
    """What an interval said of the draws so far: both ends, its method, the seconds it took; or why it was refused."""

    low: list[NDArray[np.float64]] = field(default_factory=list)
    high: list[NDArray[np.float64]] = field(default_factory=list)
    method: str = ""
    seconds: float = 0.0
    refused: str = ""


def intervals_of(stages: Stages, caps: Mapping[str, float]) -> tuple[dict[Key, Interval], list[str]]:
    """Return every interval that goes with the design, by metric and name, and say which are left out.

    Parameters
    ----------
    stages : Stages
        Its own two intervals are taken as they are configured, the others with their defaults.
    caps : mapping of str to float
        What the values of each metric are known to be at most, for the intervals that need to know it.
    """
    found: dict[Key, Interval] = {}
    notes = []
    for metric, part in stages.metrics.items():
        members = members_of(part)
        own = stages.experiment.interval.of(part, loss_cap=caps[metric])
        for name in dict.fromkeys([*members, own.name]):
            kind = members[name]
            is_known = part.takes_loss_cap or (part.least == 0 and math.isfinite(part.most))
            if (kind.from_zero and not is_known) or (kind.is_guaranteed and part.least != 0):
                notes.append(f"{metric}, {name} is left out: it needs values from 0 to a largest one")
                continue
            interval = own if name == own.name else kind().with_cap(caps[metric]).suited(part)
            try:
                interval.check(stages.plan, stages.experiment.interval.target)
            except BadInput as error:
                notes.append(f"{metric}, {name} is left out: {error}")
                continue
            found[metric, name] = interval
    return found, notes


def estimated(
    scored: ScoredUnits, intervals: Mapping[Key, Interval], stages: Stages
) -> tuple[dict[Key, Ends], list[str]]:
    """Put the intervals around every draw: of moments all at once, of the units' values in one pass over blocks.

    Parameters
    ----------
    scored : ScoredUnits
        The population.
    intervals : mapping
        By metric and name.
    stages : Stages
        How batches are drawn, and the confidence.

    Returns
    -------
    ends : dict of (str, str) to Ends
        By metric and name.
    notes : list of str
        Which are left out, for groups or weights that they cannot be made for.

    Raises
    ------
    BadInput
        If a configured one is.
    """
    ends = {key: Ends() for key in intervals}
    by_kind = {kind: {k: part for k, part in intervals.items() if part.needs_values is kind} for kind in (False, True)}
    seed, target = stages.experiment.seed, stages.experiment.interval.target
    if by_kind[False]:
        found = draw_batches(scored, seed=seed, draws=stages.experiment.draws, target=target)
        _add(ends, by_kind[False], found, stages.experiment.confidence)
    if by_kind[True]:
        for _, found in batches_with_values(scored, seed=seed, draws=stages.experiment.draws, target=target):
            _add(ends, by_kind[True], found, stages.experiment.confidence)
    for (metric, name), own in ends.items():
        if own.refused and name == configured_name(stages, metric):
            raise BadInput(own.refused)
    notes = [f"{metric}, {name} is left out: {own.refused}" for (metric, name), own in ends.items() if own.refused]
    return {key: own for key, own in ends.items() if not own.refused}, notes


def configured_name(stages: Stages, metric: str) -> str:
    """Return the name of the interval that is configured for a metric."""
    intervals, part = stages.experiment.interval, stages.metrics[metric]
    return intervals.accuracy.name if part.is_share else intervals.loss.suited(part).name


def _add(
    ends: dict[Key, Ends], intervals: Mapping[Key, Interval], found: Mapping[str, Batches], confidence: float
) -> None:
    for key, interval in intervals.items():
        own = ends[key]
        if own.refused:
            continue
        start = time.perf_counter()
        try:
            estimate = interval.estimate(found[key[0]], confidence)
        except BadInput as error:
            own.refused = str(error)
            continue
        own.seconds += time.perf_counter() - start
        own.low.append(estimate.low)
        own.high.append(estimate.high)
        own.method = estimate.method


def judge(low: NDArray[np.float64], high: NDArray[np.float64], truth: float) -> dict[str, float]:
    """Count how often intervals hold a value, and measure their widths.

    Parameters
    ----------
    low, high : ndarray of float64, shape (m,)
        The intervals' ends.
    truth : float
        What they should hold; finite.

    Returns
    -------
    dict of str to float
        ``coverage`` with its Wilson 95 % interval ``coverage_low``, ``coverage_high``; ``missed_above`` and
        ``missed_below``, the shares that lie wholly above and below the truth; mean ``width`` and ``width_median``.
    """
    from scipy.stats import binomtest

    above, below = misses(low, high, truth)
    held, m = int((~above & ~below).sum()), len(low)
    share = binomtest(held, m).proportion_ci(0.95, method="wilson")
    width = high - low
    return {
        "coverage": held / m,
        "coverage_low": float(share.low),
        "coverage_high": float(share.high),
        "missed_above": float(above.mean()),
        "missed_below": float(below.mean()),
        "width": float(width.mean()),
        "width_median": float(np.median(width)),
    }
