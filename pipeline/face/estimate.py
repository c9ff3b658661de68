"""`estimate`: how good a model is on these rows, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..estimation.whole_metrics import NoValue
from ..interval.base import Interval
from ..interval.by_metric import ByMetric
from ..report import all_rows as words
from ..report.result import Table
from ..report.words import counted
from ..study.whole import estimates_of_all
from .answer import Answer, logged, words_of
from .checks import check_cap, check_share
from .intervals import ACCURACY, LOSS, intervals_named
from .messages import in_python
from .request import requested
from .scored_rows import ScoredRows, check_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ..metric.base import Metric


@dataclass(frozen=True)
class Estimated:
    """One metric of all rows.

    Attributes
    ----------
    value, low, high : float
        The mean, and its interval for the world that the rows are a sample of.
    standard_error : float
        Of `value`.
    n : int
        Units: rows, or groups.
    method : str
        How the interval was made.
    """

    value: float
    low: float
    high: float
    standard_error: float
    n: int
    method: str


@dataclass(frozen=True, repr=False)
class Estimates(Answer):
    """How good a model is on these rows, and how sure that is; made by `estimate`.

    Attributes
    ----------
    metrics : mapping of str to Estimated
        By metric; ``estimates.loss.low`` is the lower end of the loss.
    name : str
        The rows.
    n_rows : int
    confidence : float
        Of the intervals.
    slices : mapping of str to Estimates
        The same of each slice alone, where the rows have slices.
    without : mapping of str to str
        Why a metric of all rows together has no value on these rows, by its name.
    capped : int
        Rows with a loss above ``loss_cap``, which count as it: the loss's interval holds the mean of the cut losses.
    """

    metrics: Mapping[str, Estimated]
    name: str
    n_rows: int
    confidence: float
    slices: Mapping[str, Estimates] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    capped: int = 0
    _known: Mapping[str, Metric] = field(default_factory=dict, repr=False)
    _request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        with words_of(self._known):
            return words.answer(self._flat, self.confidence, self.n_rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and texts, those of the slices too."""
        slices = {name: own.to_dict() for name, own in self.slices.items()}
        return {**super().to_dict(), **({"slices": slices} if slices else {})}

    def plot(self) -> Figure:
        """Draw each metric with its interval; of rows with slices, those of the slices."""
        from ..plots import by_slice

        with words_of(self._known):
            whole = {name: own.value for name, own in self.metrics.items()}
            parts, by = (_frame({self.name: self}), "sample") if self._parts is None else (self._parts, "slice")
            return by_slice.draw(parts, whole, self.name, self.confidence, by=by)

    @property
    def _flat(self) -> dict[str, float]:
        """The figures by the names that the reports know."""
        ends = {"all": "value", "all_low": "low", "all_high": "high"}
        found = {f"{m}/{end}": getattr(own, key) for m, own in self.metrics.items() for end, key in ends.items()}
        return {**found, "rows": float(self.n_rows), "loss/capped": float(self.capped)}

    @property
    def _parts(self) -> pd.DataFrame | None:
        return _frame(self.slices) if self.slices else None

    def _records(self) -> list[dict[str, Any]]:
        found = [{"metric": name, **asdict(own)} for name, own in self.metrics.items()]
        if not self.slices:
            return found
        led = [{"slice": None, **row} for row in found]
        return led + [{"slice": name, **row} for name, own in self.slices.items() for row in own._records()]

    def _tables(self) -> list[Table]:
        about = f"{self.name}, {counted(self.n_rows, 'row')}"
        with words_of(self._known):
            return words.by_part(self._flat, self._parts, about, kind="slice", kinds="slices")


def _frame(parts: Mapping[str, Estimates]) -> pd.DataFrame:
    """A row a part, as the report and the picture of classes know it."""
    import pandas as pd

    ends = {"": "value", "_low": "low", "_high": "high"}
    return pd.DataFrame(
        {
            "class": name,
            "rows": own.n_rows,
            **{f"{m}{end}": getattr(each, key) for m, each in own.metrics.items() for end, key in ends.items()},
        }
        for name, own in parts.items()
    )


def estimate(
    rows: ScoredRows,
    *,
    confidence: float = 0.95,
    loss: str = LOSS,
    accuracy: str = ACCURACY,
    loss_cap: float | None = None,
    seed: int = 0,
    log: bool = False,
) -> Estimates:
    """Estimate each metric, with an interval for the world that the rows are a random sample of.

    Parameters
    ----------
    rows : ScoredRows
        As `scores` makes them.
    confidence : float
        Of the intervals, in (0, 1).
    loss, accuracy : str
        The interval of means (``hall_score``, ``hall``, ``t``, ``normal``, ``bootstrap_t``, ``bca``, ``star_bets``,
        ``betting``, ``sequence``) and of shares (``blaker``, ``wilson``, ``clopper_pearson``, ``wald``, ``sequence``).
        The defaults are the commands'.
    loss_cap : float or None
        Losses above it count as it, nats; intervals that hold for bounded values need one.
    seed : int
        Of the intervals that resample.
    log : bool
        Whether the result is put into MLflow, as `bs.log` does.

    Returns
    -------
    Estimates

    Raises
    ------
    BadInput
        If an argument is none that there is.

    Examples
    --------
    >>> import pipeline as bs
    >>> found = bs.estimate(bs.scores(loss=[0.25, 0.5, 0.75, 0.5], correct=[True, True, False, True]), loss="t")
    >>> round(found.loss.value, 4), round(found.loss.low, 4), round(found.loss.high, 4)
    (0.5, 0.1752, 0.8248)
    >>> print(found.sentence)
    Loss 0.50 nats [0.18, 0.82], accuracy 75 % [25, 99] (4 rows, as a sample of the world; 95 %).
    """
    check_rows(rows=rows)
    check_share(confidence=confidence)
    check_cap(loss_cap)
    chosen = intervals_named(loss, accuracy)
    whole = _estimates(rows, chosen, loss_cap, seed, confidence, rows.name)
    if rows.by is None:
        return logged(whole, log)
    slices = {name: _estimates(rows.slice(name), chosen, loss_cap, seed, confidence, name) for name in rows.slices}
    return logged(replace(whole, slices=slices), log)


def _estimates(
    rows: ScoredRows, chosen: ByMetric, loss_cap: float | None, seed: int, confidence: float, name: str
) -> Estimates:
    with in_python():
        intervals: dict[str, Interval] = {key: chosen.of(own, loss_cap=loss_cap) for key, own in rows.metrics.items()}
    with words_of(rows.metrics):
        scored = rows.scored_units(loss_cap=loss_cap)
        found = estimates_of_all(scored, intervals, seed=seed, confidence=confidence)
    made = {
        key: Estimated(
            float(own.value[0]), float(own.low[0]), float(own.high[0]), float(own.standard_error[0]), own.n, own.method
        )
        for key, own in found.items()
    }
    with_value, without = _together(rows, confidence)
    made |= with_value
    asked = {
        "study": "all_rows",
        "study.loss_cap": loss_cap,
        "interval/loss": chosen.loss.name,
        "interval/accuracy": chosen.accuracy.name,
        "confidence": confidence,
        "seed": seed,
    }
    known = {key: rows.asked[key] for key in made}
    return Estimates(
        made, name, len(rows), confidence, {}, without, scored.scores.capped, known, requested(asked, rows)
    )


def _together(rows: ScoredRows, confidence: float) -> tuple[dict[str, Estimated], dict[str, str]]:
    """The metrics of all rows together that have a value, and why others have none."""
    made: dict[str, Estimated] = {}
    without: dict[str, str] = {}
    for name in rows.together:
        try:
            found = rows.value(name)
        except NoValue as error:
            without[name] = str(error)
            continue
        low, high = found.interval(confidence, rows.units)
        how = "Student's t on the rows' influences" + (", debiased" if found.bias else ", by its log-odds")
        made[name] = Estimated(found.debiased, low, high, found.error(rows.units), rows.units.size, how)
    return made, without
