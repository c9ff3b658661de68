"""How often a gate, and a rule that stands in its place, would be wrong: by rows drawn anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ...estimation.clustered import clustered_mean
from ...estimation.gain import differences, sign_of
from ...estimation.redraws import Rates, against_itself, rates_of_rule
from ...estimation.verdict import decide
from ...metric.base import Metric
from ...records.verdict import WORSE, Audit, Check
from ...sampling.streams import REDRAWS, generator
from ...sampling.units import Units
from .findings import Columns
from .rule import Rule

# A rate beyond what chance gives in one of so many checks is told of as a fault.
_ONCE_IN = 1_000
# Points of an audit's picture on each side of the threshold.
_POINTS = 24


def check_of(
    columns: Mapping[str, Columns],
    metrics: Mapping[str, Metric],
    margins: Mapping[str, float],
    *,
    confidence: float,
    seed: int,
    units: Units | None = None,
    loss_range: float | None = None,
) -> Check:
    """Return how often the gate calls the baseline worse than itself, on rows (groups) drawn anew for both sides."""
    baseline = [(metrics[name], by_group(own[0], units)) for name, own in columns.items()]
    gains = against_itself(baseline, generator(REDRAWS, seed, check=0), bound=loss_range)
    asked = [margins[name] for name in columns]
    draws = len(gains[0].value)
    worse, worse_at_0 = (
        int(np.count_nonzero(decide(gains, own, confidence).overall == WORSE)) for own in (asked, [0.0] * len(asked))
    )
    most = scipy.stats.binom.ppf(1 - 1 / _ONCE_IN, draws, 1 - confidence)
    return Check(
        draws=draws,
        rows=int(gains[0].n),
        worse=worse / draws,
        worse_at_0=worse_at_0 / draws,
        at_most=round(1 - confidence, 12),
        is_kept=bool(max(worse, worse_at_0) <= most),
    )


def audit_of(
    rule: Rule, columns: Columns, *, confidence: float, seed: int, effect: float, units: Units | None = None
) -> tuple[Audit, Rates]:
    """Return how often a rule is wrong, in three figures and as curves over the true gain.

    Parameters
    ----------
    rule : Rule
    columns : (ndarray, ndarray) of shape (n,)
        The two models' values of the rule's metric.
    confidence : float
    seed : int
    effect : float
        How far from 0 and from the threshold the curves are worth seeing, in the metric's own unit.
    """
    if units is not None and not units.is_simple:
        apart = by_group(np.concatenate(list(differences(*columns))), units)
        columns = np.zeros(len(apart)), apart
    reach = max(rule.threshold, effect)
    named = [0.0, -rule.threshold, -2 * rule.threshold]
    gains = np.linspace(-rule.threshold - reach, reach, 2 * _POINTS + 1)
    apart = np.abs(gains[:, None] - np.array(named)).min(axis=1) > (gains[1] - gains[0]) / 2
    gains = np.unique(np.concatenate([named, gains[apart]]))
    # Below -1 and above 1 there is no difference of two shares.
    gains = np.clip(gains, -0.999, 0.999) if rule.metric.is_share else gains
    rates = rates_of_rule(
        rule.metric,
        columns,
        threshold=rule.threshold,
        true_gains=gains,
        confidence=confidence,
        rng=generator(REDRAWS, seed, check=1),
    )
    places = [int(np.argmin(np.abs(gains - gain))) for gain in named]
    sign = sign_of(rule.metric)
    fails, worse, undecided = (
        tuple(float(values[place]) for place in places) for values in (rates.fails, rates.worse, rates.undecided)
    )
    at = tuple(sign * float(gains[place]) + 0.0 for place in places)
    audit = Audit(str(rule), rule.metric.column, rule.threshold, rates.draws, at, fails, worse, undecided)
    return audit, rates


def by_group(values: NDArray[Any], units: Units | None) -> NDArray[Any]:
    """Return a value for each group, whose mean and spread are those of the mean over rows; rows as they are."""
    if units is None or units.is_simple:
        return values
    found = clustered_mean(np.asarray(values, dtype=np.float64), units)
    return found.value + found.influence
