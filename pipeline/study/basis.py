"""What a plan is made from: the scores of all rows, or of a pilot's rows that stand for them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from pipeline.draws import METRICS, Scored
from pipeline.enough import most_share_variance, most_variance
from pipeline.records import Frame, IntArray, Scores
from pipeline.sampling.base import Plan
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.scoring import score
from pipeline.study.base import Setting
from pipeline.study.evaluate import median_seconds, population_scores
from pipeline.study.variants import needs_proxy

# Rows scored to see what one takes.
_TIMED_ROWS = 1000
# Seconds.
_CHEAP = 0.2


@dataclass(frozen=True, eq=False)
class Basis:
    """What a plan is made from.

    Attributes
    ----------
    scored : Scored
        All units, with their own scores, or with those of a pilot's rows.
    variance : dict of str to float
        σ² by metric, of a unit's value, with a pilot's allowance; inf where a loss is, nan where nothing is known.
    allowance : dict of str to float
        What the variances of `scored` are multiplied by; nan where they say nothing.
    seconds_a_row : float
        Measured, of scoring.
    is_pilot : bool
        Whether only a pilot was scored.
    may_ask : bool
        Whether the proxy may be asked about all rows.
    notes : list of str
        What to mind.
    """

    scored: Scored
    variance: dict[str, float]
    allowance: dict[str, float]
    seconds_a_row: float
    is_pilot: bool = False
    may_ask: bool = True
    notes: list[str] = field(default_factory=list)

    def error_variance(self, plan: Plan, metric: str) -> float:
        """Return the variance of one batch's estimate."""
        return self.allowance[metric] * self.scored.error_variance(metric, plan)


def from_all(setting: Setting) -> Basis:
    """Score all rows, and find out by some of them what a row takes."""
    dataset, classifier = setting.dataset, setting.classifier
    scores, _ = population_scores(setting)
    scored = Scored(scores, setting.units, setting.plan)
    one = IndependentPlan(setting.units.size, 1)
    variance = {metric: scored.error_variance(metric, one) for metric in METRICS}
    notes = []
    infinite = int(np.isinf(scores.loss).sum())
    if infinite:
        variance["loss"] = math.inf
        notes.append(f"{infinite:,} of {len(scores):,} rows have an infinite loss: no number of rows brings it within")
    some = SimplePlan(len(dataset), min(len(dataset), _TIMED_ROWS)).batch(setting.seed, 0).indices
    taken = median_seconds(lambda: score(classifier, dataset, some), at_most=3)
    return Basis(scored, variance, dict.fromkeys(METRICS, 1.0), taken / len(some), notes=notes)


def from_pilot(setting: Setting, pilot: int, assurance: float) -> Basis:
    """Score a simple random sample of `pilot` rows, and no other.

    The variances have an upper limit that holds at the assurance. A proxy is asked only if the configured design has
    asked it already, since a pass over all rows may cost what the pilot is to save.
    """
    chosen = SimplePlan(setting.units.size, pilot).batch(setting.seed, 0).indices
    started = time.perf_counter()
    scores = score(setting.classifier, setting.dataset, chosen)
    taken = time.perf_counter() - started
    if taken < _CHEAP:
        # The first call of a process is slow; a dear model is not called again for the sake of a time.
        taken = median_seconds(lambda: score(setting.classifier, setting.dataset, chosen), at_most=3)
    may_ask = needs_proxy(setting.sampling, setting.frame)
    everywhere = spread_out(scores, chosen, setting.frame, use_guess=may_ask)
    scored = Scored(everywhere, setting.units, setting.plan)
    variance = {
        "loss": most_variance(scores.loss, assurance),
        "accuracy": most_share_variance(int(scores.correct.sum()), pilot, assurance),
    }
    one = IndependentPlan(setting.units.size, 1)
    seen = {metric: scored.error_variance(metric, one) for metric in METRICS}
    allowance = {m: variance[m] / seen[m] if seen[m] > 0 else math.nan for m in METRICS}
    notes = []
    if math.isnan(variance["loss"]):
        notes.append(f"all {pilot:,} losses of the pilot are equal: nothing can be planned for the loss from them")
    if math.isinf(variance["loss"]):
        notes.append("a loss of the pilot is infinite: no number of rows brings the loss within")
    if not seen["accuracy"] > 0:
        alike = "right" if scores.correct.all() else "wrong"
        notes.append(
            f"all {pilot:,} rows of the pilot are {alike}: the accuracy is planned for the share of others that would "
            "not show in so many rows, and for simple random samples alone"
        )
    return Basis(scored, variance, allowance, taken / pilot, is_pilot=True, may_ask=may_ask, notes=notes)


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
    return Scores(pilot.loss[donor], pilot.correct[donor])
