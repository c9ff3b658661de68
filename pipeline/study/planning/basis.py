"""The variances that a plan is made from: those of all rows, or of a pilot's, with an allowance for its own error."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...estimation.sample_size import variance_limit
from ...estimation.scored_units import ScoredUnits
from ...experiment import Stages
from ...metric.base import Metric
from ...records.rows import Dataset, IntArray
from ...records.scores import Scores
from ...records.stored import n_infinite
from ...runtime.memo import once
from ...runtime.timing import median_seconds
from ...sampling.base import Plan
from ...sampling.difference import DifferencePlan
from ...sampling.frame import Frame
from ...sampling.with_replacement import IndependentPlan
from ...sampling.without_replacement import SimplePlan
from .variants import needs_proxy

Floats = NDArray[np.float64]

# Relative to the spread of values.
_ROUNDING = 1e-9
# Rows scored to see what one takes.
_TIMED_ROWS = 1000
# Seconds.
_CHEAP = 0.2
# Proxies that are read, not computed.
_STORED = ("column", "scores")


@dataclass(frozen=True, eq=False)
class Basis:
    """What a plan is made from.

    Attributes
    ----------
    scored : ScoredUnits
        All units, with their own scores, or with those of a pilot's rows; or the pilot's alone, where all are too many.
    variance : dict of str to float
        σ² by metric, of a unit's value, with a pilot's allowance; inf where a loss is, nan where nothing is known.
    allowance : dict of str to float
        What the variances of `scored` are multiplied by; nan where they say nothing.
    seconds_a_row : float
        Measured, of scoring; ``nan`` where there is nothing to evaluate.
    is_pilot : bool
        Whether only a pilot was scored.
    may_ask : bool
        Whether the proxy may be evaluated on all rows.
    notes : list of str
        What the reader of the plan must know.
    left : callable or None
        With a pilot: from a metric and a proxy's values of all units to the variance that is left of a unit's value
        beside it, with the allowance.
    """

    scored: ScoredUnits
    variance: dict[str, float]
    allowance: dict[str, float]
    seconds_a_row: float
    is_pilot: bool = False
    may_ask: bool = True
    notes: list[str] = field(default_factory=list)
    left: Callable[[str, Floats], float] | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that there is to plan for."""
        return tuple(self.variance)

    def error_variance(self, plan: Plan, metric: str) -> float:
        """Return the variance of one batch's estimate; ``nan`` where it is not known."""
        if is_simple_random(plan):
            if not math.isfinite(self.variance[metric]):
                return math.nan
            # Only the variance σ² of the values matters here, and ±σ is a population with that variance.
            reach = math.sqrt(self.variance[metric])
            return plan.error_variance(np.array([reach, -reach]), metric)
        if self.left is not None and isinstance(plan, DifferencePlan):
            reach = math.sqrt(self.left(metric, plan.auxiliary(metric)))
            return SimplePlan(plan.size, plan.batch_size).error_variance(np.array([reach, -reach]), metric)
        return self.allowance[metric] * self.scored.error_variance(metric, plan)


def is_simple_random(plan: Plan) -> bool:
    """Whether a batch is a simple random sample, of which the population's variance says all."""
    return plan.is_simple and isinstance(plan, IndependentPlan | SimplePlan)


def from_all(stages: Stages) -> Basis:
    """Score all rows, and measure the time of a row on some of them."""
    dataset = stages.rows
    scores, _ = stages.scores()
    scored = ScoredUnits(scores, stages.units, stages.plan)
    one = IndependentPlan(stages.units.size, 1)
    variance = {metric: scored.error_variance(metric, one) for metric in _metrics(stages, scores)}
    notes = []
    infinite = n_infinite(scores) if "loss" in variance else 0
    if infinite:
        variance["loss"] = math.inf
        notes.append(f"{infinite:,} of {len(scores):,} rows have an infinite loss: no number of rows brings it within")
    seconds = math.nan
    if not stages.are_predictions:
        some = SimplePlan(len(dataset), min(len(dataset), _TIMED_ROWS)).batch(stages.experiment.seed, 0).indices
        seconds = median_seconds(lambda: stages.score(some), at_most=3) / len(some)
    return Basis(scored, variance, dict.fromkeys(variance, 1.0), seconds, notes=notes)


def from_pilot(stages: Stages, pilot: int, assurance: float) -> Basis:
    """Score a simple random sample of `pilot` rows, and no other.

    The variances have an upper limit that holds at the assurance. A proxy is asked only if the configured design has
    asked it already, since a pass over all rows may cost what the pilot is to save; or if it is made of predictions
    that are there.
    """
    chosen, scores, taken = pilot_of(stages, pilot)
    is_held = isinstance(stages.rows, Dataset)
    may_ask = is_held and (has_free_proxy(stages) or needs_proxy(stages.experiment.sampling, stages.frame))
    everywhere = spread_out(scores, chosen, stages.frame, use_guess=may_ask) if is_held else scores
    scored = ScoredUnits(everywhere, stages.units, stages.plan, None if is_held else chosen)
    variance = {
        name: variance_limit(scores.values(name), assurance, is_share=metric.is_share, is_loss=metric.takes_loss_cap)
        for name, metric in ((name, stages.metrics[name]) for name in _metrics(stages, scores))
    }
    one = IndependentPlan(stages.units.size, 1)
    seen = {metric: scored.error_variance(metric, one) for metric in variance}
    allowance = {m: variance[m] / seen[m] if seen[m] > 0 else math.nan for m in variance}
    return Basis(
        scored,
        variance,
        allowance,
        taken / pilot,
        is_pilot=True,
        may_ask=may_ask,
        notes=_notes_of_pilot(scores, stages.metrics, variance, seen),
        left=_left_of_pilot(scores, chosen, stages.metrics, assurance),
    )


def _left_of_pilot(
    scores: Scores, chosen: IntArray, metrics: Mapping[str, Metric], assurance: float
) -> Callable[[str, Floats], float]:
    """Return the function from a metric and a proxy to the variance of the residuals, at most.

    Not by `spread_out`, whose rows are alike in rank alone: of a proxy that leaves 0.4 % of the losses' variance it
    would leave as much as of a poor one (270 times the rows, from a pilot of 300).
    """
    known: dict[str, float] = {}

    def left(metric: str, proxies: Floats) -> float:
        if metric not in known:
            values, x = scores.values(metric).astype(np.float64), proxies[chosen]
            x = x - x.mean()
            slope = float(x @ values) / float(x @ x) if np.any(x) else 0.0
            rest = values - slope * x
            # Values that the proxy explains but for rounding are explained.
            is_explained = float(np.ptp(rest)) <= _ROUNDING * float(np.ptp(values))
            found = variance_limit(0 * rest if is_explained else rest, assurance, is_share=False)
            if metrics[metric].is_share and math.isnan(found):
                # No row differs from what the proxy says; others may that would not show in so many rows.
                found = variance_limit(np.zeros(len(x)), assurance, is_share=True)
            known[metric] = found * (len(x) - 1) / (len(x) - 2)
        return known[metric]

    return left


def has_free_proxy(stages: Stages) -> bool:
    """Whether what the proxy says is in predictions that are there, in a column, or in a file that has every row."""
    proxy, data = stages.experiment.proxy, stages.experiment.data
    if proxy.name in _STORED:
        return proxy.known(stages.rows, data=data) == len(stages.rows)
    is_made_of_them = proxy.name in ("confidence", "entropy") and stages.classifier.gives != "scores"
    return is_made_of_them and stages.are_predictions


def pilot_of(stages: Stages, pilot: int) -> tuple[IntArray, Scores, float]:
    """Draw a pilot and score it, once in a process; with the seconds that this takes (``nan`` of predictions)."""
    dataset, classifier = stages.rows, stages.classifier
    chosen = SimplePlan(stages.units.size, pilot).batch(stages.experiment.seed, 0).indices
    if stages.are_predictions:
        key = f"pilot {dataset.digest} {classifier.digest} {stages.experiment.seed} {pilot} {stages.job().evaluated}"
        return chosen, once(key, lambda: stages.score(chosen)), math.nan
    started = time.perf_counter()
    scores = stages.score(chosen)
    taken = time.perf_counter() - started
    if taken < _CHEAP:
        # The first call of a process is slow; an expensive model is not called again only to be timed.
        taken = median_seconds(lambda: stages.score(chosen), at_most=3)
    return chosen, scores, taken


def _metrics(stages: Stages, scores: Scores) -> list[str]:
    return [metric for metric in stages.metrics if metric in scores.metrics]


def _notes_of_pilot(
    scores: Scores, metrics: Mapping[str, Metric], variance: dict[str, float], seen: dict[str, float]
) -> list[str]:
    """Say which metrics nothing, or little, can be planned for from the pilot."""
    notes = []
    for name, own in variance.items():
        metric = metrics[name]
        values = "losses" if metric.takes_loss_cap else f"values of the {metric.words}"
        if math.isnan(own):
            notes.append(
                f"all {len(scores):,} {values} of the pilot are equal: nothing can be planned for the {metric.words} "
                "from them"
            )
        if math.isinf(own):
            notes.append(
                f"a {metric.words} of the pilot is infinite: no number of rows brings the {metric.words} within"
            )
        if metric.is_share and not seen[name] > 0:
            alike = "right" if scores.columns[name].all() else "wrong"
            notes.append(
                f"all {len(scores):,} rows of the pilot are {alike}: the {metric.words} is planned for the share of "
                "others that would not show in so many rows, and for simple random samples alone"
            )
    return notes


def spread_out(pilot: Scores, chosen: IntArray, frame: Frame, *, use_guess: bool) -> Scores:
    """Give every row of the population the scores of a pilot row that it is like: of its class, and as difficult.

    Within a class, its rows and the pilot's are put in the order of difficulty (without a proxy: as they stand), and
    the first of m equal parts of the rows takes the scores of the first of the m pilot rows, and so on. This hot deck
    gives any design's formula the variances within its strata, or the moments under its chances, that the pilot has.
    A class without a row in the pilot takes from all of it.

    Parameters
    ----------
    pilot : Scores
        Of the rows chosen.
    chosen : ndarray of int, shape (m,)
        Which they are.
    frame : Frame
        What is known of all N rows.
    use_guess : bool
        Whether to ask the proxy.

    Returns
    -------
    Scores
        Of N rows.
    """
    size = frame.size
    labels = np.zeros(size, dtype=np.intp) if frame.labels is None else frame.labels
    difficulty = frame.guess().difficulty if use_guess else np.zeros(size)
    easiest_first = np.argsort(difficulty[chosen], kind="stable")
    donor = np.empty(size, dtype=np.intp)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rows = rows[np.argsort(difficulty[rows], kind="stable")]
        own = easiest_first[labels[chosen[easiest_first]] == label]
        donors = own if len(own) else easiest_first
        donor[rows] = donors[np.arange(len(rows)) * len(donors) // len(rows)]
    return pilot.take(donor)
