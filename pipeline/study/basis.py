"""What a plan is made from: the scores of all rows, or of a pilot's rows that stand for them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from pipeline.draws import METRICS, Scored
from pipeline.enough import most_share_variance, most_variance
from pipeline.kept import once
from pipeline.records import Dataset, Frame, IntArray, Scores
from pipeline.sampling.base import Plan
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.scoring import score
from pipeline.stored import n_infinite
from pipeline.study.base import Setting
from pipeline.study.evaluate import median_seconds, population_scores
from pipeline.study.pairing import are_predictions
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

    @property
    def metrics(self) -> tuple[str, ...]:
        """What there is to plan for: the loss, the accuracy, or both."""
        return tuple(self.variance)

    def error_variance(self, plan: Plan, metric: str) -> float:
        """Return the variance of one batch's estimate; ``nan`` where it is not known."""
        if is_simple_random(plan):
            if not math.isfinite(self.variance[metric]):
                return math.nan
            # It depends on the values' variance alone, and two values have that of all.
            reach = math.sqrt(self.variance[metric])
            return plan.error_variance(np.array([reach, -reach]), metric)
        return self.allowance[metric] * self.scored.error_variance(metric, plan)


def is_simple_random(plan: Plan) -> bool:
    """Whether a batch is a simple random sample, of which the population's variance says all."""
    return plan.is_simple and isinstance(plan, IndependentPlan | SimplePlan)


def from_all(setting: Setting) -> Basis:
    """Score all rows, and find out by some of them what a row takes."""
    dataset, classifier = setting.dataset, setting.classifier
    scores, _ = population_scores(setting)
    scored = Scored(scores, setting.units, setting.plan)
    one = IndependentPlan(setting.units.size, 1)
    variance = {metric: scored.error_variance(metric, one) for metric in _metrics(setting, scores)}
    notes = []
    infinite = n_infinite(scores) if "loss" in variance else 0
    if infinite:
        variance["loss"] = math.inf
        notes.append(f"{infinite:,} of {len(scores):,} rows have an infinite loss: no number of rows brings it within")
    seconds = math.nan
    if not are_predictions(setting):
        some = SimplePlan(len(dataset), min(len(dataset), _TIMED_ROWS)).batch(setting.seed, 0).indices
        seconds = median_seconds(lambda: score(classifier, dataset, some), at_most=3) / len(some)
    return Basis(scored, variance, dict.fromkeys(variance, 1.0), seconds, notes=notes)


def from_pilot(setting: Setting, pilot: int, assurance: float) -> Basis:
    """Score a simple random sample of `pilot` rows, and no other.

    The variances have an upper limit that holds at the assurance. A proxy is asked only if the configured design has
    asked it already, since a pass over all rows may cost what the pilot is to save; or if it is made of predictions
    that are there.
    """
    chosen, scores, taken = pilot_of(setting, pilot)
    is_held = isinstance(setting.dataset, Dataset)
    may_ask = is_held and (has_free_proxy(setting) or needs_proxy(setting.sampling, setting.frame))
    everywhere = spread_out(scores, chosen, setting.frame, use_guess=may_ask) if is_held else scores
    scored = Scored(everywhere, setting.units, setting.plan, None if is_held else chosen)
    variance = {
        metric: most_variance(scores.loss, assurance)
        if metric == "loss"
        else most_share_variance(int(scores.correct.sum()), pilot, assurance)
        for metric in _metrics(setting, scores)
    }
    one = IndependentPlan(setting.units.size, 1)
    seen = {metric: scored.error_variance(metric, one) for metric in variance}
    allowance = {m: variance[m] / seen[m] if seen[m] > 0 else math.nan for m in variance}
    return Basis(
        scored,
        variance,
        allowance,
        taken / pilot,
        is_pilot=True,
        may_ask=may_ask,
        notes=_notes_of_pilot(scores, variance, seen),
    )


def has_free_proxy(setting: Setting) -> bool:
    """Whether what the proxy says is in the predictions, and these are there."""
    is_made_of_them = setting.proxy.name in ("confidence", "entropy") and setting.classifier.gives != "scores"
    return is_made_of_them and are_predictions(setting)


def pilot_of(setting: Setting, pilot: int) -> tuple[IntArray, Scores, float]:
    """Draw a pilot and score it, once in a process; with the seconds that this takes (``nan`` of predictions)."""
    dataset, classifier = setting.dataset, setting.classifier
    chosen = SimplePlan(setting.units.size, pilot).batch(setting.seed, 0).indices
    if are_predictions(setting):
        key = f"pilot {dataset.digest} {classifier.digest} {setting.seed} {pilot}"
        return chosen, once(key, lambda: score(classifier, dataset, chosen)), math.nan
    started = time.perf_counter()
    scores = score(classifier, dataset, chosen)
    taken = time.perf_counter() - started
    if taken < _CHEAP:
        # The first call of a process is slow; a dear model is not called again for the sake of a time.
        taken = median_seconds(lambda: score(classifier, dataset, chosen), at_most=3)
    return chosen, scores, taken


def _metrics(setting: Setting, scores: Scores) -> list[str]:
    return [metric for metric in METRICS if metric in setting.metrics and metric in scores.metrics]


def _notes_of_pilot(scores: Scores, variance: dict[str, float], seen: dict[str, float]) -> list[str]:
    notes = []
    if math.isnan(variance.get("loss", 0.0)):
        notes.append(
            f"all {len(scores):,} losses of the pilot are equal: nothing can be planned for the loss from them"
        )
    if math.isinf(variance.get("loss", 0.0)):
        notes.append("a loss of the pilot is infinite: no number of rows brings the loss within")
    if not seen.get("accuracy", 1.0) > 0:
        alike = "right" if scores.correct.all() else "wrong"
        notes.append(
            f"all {len(scores):,} rows of the pilot are {alike}: the accuracy is planned for the share of others that "
            "would not show in so many rows, and for simple random samples alone"
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
