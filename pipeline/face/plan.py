"""`plan`: how many rows are enough for a tolerance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput
from ..estimation.sample_size import normal_size, quantile, variance_limit
from ..metric.base import Metric
from ..records.rows import IntArray
from ..report import plan as words
from ..report.result import Table
from ..report.words import as_count, counted, in_words, level
from ..sampling.with_replacement import IndependentPlan
from ..sampling.without_replacement import SimplePlan
from .answer import Answer, logged, words_of
from .checks import check_share, check_whole, is_number, kind_of
from .request import requested
from .scored_rows import ScoredRows, check_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST_PILOT = 30
_CURVE_POINTS = 48
_DESIGNS = {"without_replacement": "without replacement", "with_replacement": "with replacement"}


@dataclass(frozen=True)
class Enough:
    """How many rows are enough for one metric.

    Attributes
    ----------
    within : float
        ±, the tolerance: nats, or a fraction.
    without_replacement, with_replacement : int or float
        Rows of a simple random sample of the population, drawn so; the latter are as many for any larger population,
        the world included. ``inf`` where a loss is infinite, ``nan`` where a pilot says nothing.
    standard_deviation : float
        Of one row's value; of a pilot an upper limit.
    """

    within: float
    without_replacement: float
    with_replacement: float
    standard_deviation: float


@dataclass(frozen=True, repr=False)
class SizePlan(Answer):
    """How many rows are enough; made by `plan`.

    Attributes
    ----------
    metrics : mapping of str to Enough
        By metric; ``plan.loss.without_replacement``.
    name : str
        The rows.
    population : int
        N, in rows (or groups).
    pilot : int or None
        Rows of the pilot that it was told from.
    confidence, assurance : float
        The share of batches that are within; and of pilots whose plan is enough.
    """

    metrics: Mapping[str, Enough]
    name: str
    population: int
    pilot: int | None
    confidence: float
    assurance: float
    _unit: str = "row"
    _known: Mapping[str, Metric] = field(default_factory=dict, repr=False)
    _request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def n(self) -> float:
        """Rows drawn without replacement that are enough for every metric."""
        needed = [own.without_replacement for own in self.metrics.values()]
        return math.nan if any(map(math.isnan, needed)) else max(needed)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        parts = []
        with words_of(self._known):
            for name, own in self.metrics.items():
                n, said = own.without_replacement, self._known[name].named_tolerance(own.within)
                enough = f"no number of {self._unit}s" if math.isinf(n) else "nothing can be said"
                parts.append(f"{counted(n, self._unit) if math.isfinite(n) else enough} for {said}")
        source = "" if self.pilot is None else f", from a pilot of {self.pilot:,}"
        of = f"of {self.population:,} {self._unit}s{source}, in {level(self.confidence)} % of batches"
        return f"Enough without replacement: {in_words(parts)} ({of})."

    def plot(self) -> Figure:
        """Draw the rows that are needed against the tolerance, log-log."""
        import pandas as pd

        from ..plots import plan as picture

        with words_of(self._known):
            return picture.draw(
                pd.DataFrame(self._curves()),
                pd.DataFrame(self._designs()),
                within={name: own.within for name, own in self.metrics.items()},
                about=self.name,
                size=self.population,
                unit=self._unit,
                pilot=self.pilot,
            )

    def _sizes(self) -> IntArray:
        finite = [n for own in self.metrics.values() for n in (own.without_replacement,) if math.isfinite(n)]
        most = max(self.population, 30 * max(finite, default=1.0))
        sizes = np.geomspace(max(2.0, min(finite, default=1.0) / 30), most, _CURVE_POINTS)
        ends = self.population * np.array([0.8, 0.9, 0.95, 0.98, 0.99, 0.995])
        return np.unique(np.rint([*sizes, *ends])).astype(int)

    def _curves(self) -> list[dict[str, Any]]:
        """What a batch is within, by design and size."""
        rows = []
        for design, said in _DESIGNS.items():
            for n in self._sizes().tolist():
                if design == "without_replacement" and n > self.population:
                    continue
                plan = (SimplePlan if design == "without_replacement" else IndependentPlan)(self.population, n)
                reach = {name: self._within(own, plan) for name, own in self.metrics.items()}
                rows.append({"design": design, "words": said, "n": n, **{f"{m}_within": r for m, r in reach.items()}})
        return rows

    def _within(self, own: Enough, plan: SimplePlan | IndependentPlan) -> float:
        # Only the variance of the values matters, and ±σ is a population with that variance.
        spread = own.standard_deviation
        if not math.isfinite(spread):
            return math.nan
        return quantile(self.confidence) * math.sqrt(plan.error_variance(np.array([spread, -spread]), ""))

    def _designs(self) -> list[dict[str, Any]]:
        found = []
        for design, said in _DESIGNS.items():
            needed = {name: getattr(own, design) for name, own in self.metrics.items()}
            every = math.nan if any(map(math.isnan, needed.values())) else max(needed.values())
            n = {f"{name}_n": value for name, value in needed.items()}
            is_first = design == "without_replacement"
            found.append({"design": design, "words": said, "is_configured": is_first, **n, "n": every, "overrides": ""})
        return found

    def _records(self) -> list[dict[str, Any]]:
        return [{"metric": name, **asdict(own)} for name, own in self.metrics.items()]

    def _tables(self) -> list[Table]:
        within = {name: own.within for name, own in self.metrics.items()}
        question = words.Question(self.name, self._unit, self.population, within, self.confidence, self.pilot)
        with words_of(self._known):
            # Nothing is configured here, so no design is marked as the own one.
            rows = [{**row, "is_configured": False} for row in self._designs()]
            return words.tables(rows, question, seconds=math.nan)


def plan(
    rows: ScoredRows,
    *,
    loss_within: float = 0.02,
    accuracy_within: float = 0.01,
    confidence: float = 0.95,
    population: int | None = None,
    assurance: float = 0.8,
    log: bool = False,
) -> SizePlan:
    """Say how many rows of a simple random sample are within a tolerance: n₀ = z²σ²/ε², and n₀/(1 + n₀/N) of N.

    Parameters
    ----------
    rows : ScoredRows
        All rows; or, with `population`, a simple random sample of them, a pilot.
    loss_within, accuracy_within : float
        ±, above 0: for the loss (nats) and other means, and for the accuracy (a fraction) and other shares.
    confidence : float
        The share of batches that should be within, in (0, 1).
    population : int or None
        N where `rows` are a pilot of at least 30; None is the rows themselves.
    assurance : float
        The share of pilots whose plan should be enough, in (½, 1).
    log : bool
        Whether the result is put into MLflow, as `bs.log` does.

    Returns
    -------
    SizePlan

    Raises
    ------
    BadInput
        If a tolerance is not above 0, or the rows are no pilot of so many.

    Examples
    --------
    >>> import pipeline as bs
    >>> rows = bs.scores(correct=[True] * 900 + [False] * 100)
    >>> found = bs.plan(rows, accuracy_within=0.02)
    >>> found.accuracy.with_replacement, found.accuracy.without_replacement
    (864, 464)
    """
    check_rows(rows=rows)
    check_share(confidence=confidence, assurance=assurance)
    for name, within in (("loss_within", loss_within), ("accuracy_within", accuracy_within)):
        if not is_number(within) or not 0 < within < math.inf:
            raise BadInput(f"{name} must be above 0 and finite, such as 0.01; found {kind_of(within)}")
    size = rows.units.size
    if population is not None:
        check_whole(1, population=population)
        _check_pilot(rows, population)
    found = {}
    for name, metric in rows.metrics.items():
        variance = _variance(rows, name, None if population is None else assurance)
        tolerance = accuracy_within if metric.is_share else loss_within
        of_all = normal_size(variance, tolerance=tolerance, confidence=confidence, population_size=population or size)
        of_the_world = normal_size(variance, tolerance=tolerance, confidence=confidence)
        spread = math.sqrt(variance) if variance >= 0 else variance
        found[name] = Enough(tolerance, as_count(of_all), as_count(of_the_world), spread)
    pilot = None if population is None else size
    unit = "row" if rows.units.starts is None else "group"
    options = {
        "study": "plan",
        "study.loss_within": loss_within,
        "study.accuracy_within": accuracy_within,
        "sampling": "without_replacement",
        "confidence": confidence,
    }
    request = {} if pilot else requested(options, rows, takes_slices=False)
    made = SizePlan(found, rows.name, population or size, pilot, confidence, assurance, unit, rows.metrics, request)
    return logged(made, log)


def _check_pilot(rows: ScoredRows, population: int) -> None:
    size = rows.units.size
    if not rows.units.is_simple:
        raise BadInput("a pilot must be of rows that count alike; found groups or weights: leave population out")
    if size < _LEAST_PILOT:
        raise BadInput(
            f"a pilot must be of at least {_LEAST_PILOT} rows, for fewer say next to nothing of the spread; found "
            f"{size}: score more"
        )
    if population < size:
        raise BadInput(f"population must be at least the pilot's {size:,} rows; found {population:,}")


def _variance(rows: ScoredRows, name: str, assurance: float | None) -> float:
    """Of one unit's value; of a pilot what it is at most."""
    if assurance is not None:
        metric = rows.metrics[name]
        return variance_limit(rows.values(name), assurance, is_share=metric.is_share, is_loss=metric.takes_loss_cap)
    variance = rows.scored_units().error_variance(name, IndependentPlan(rows.units.size, 1))
    return math.inf if math.isnan(variance) else variance
