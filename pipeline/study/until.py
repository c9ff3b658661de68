"""Evaluate until it is enough: rows in growing blocks, and a stop as soon as the interval is narrow enough."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.draws import METRICS
from pipeline.errors import BadInput
from pipeline.interval.capital import sequence_interval
from pipeline.records import IntArray
from pipeline.sampling.base import generator
from pipeline.scoring import score
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.tables import until as tables

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
_DESIGNS = ("without_replacement", "with_replacement")
# With replacement there is no end at which all is known: at most so many times the population is drawn.
_MOST_PASSES = 10
# No batch has 0 rows, and other uses of size 0 count from 0: this generator is no other's.
_ORDER = 2


@dataclass(frozen=True)
class Look:
    """What was known when so many units had been drawn.

    Attributes
    ----------
    n : int
        Units drawn.
    value, low, high : dict of str to float
        By metric: the estimate and its anytime-valid interval; nats, and 0 … 1.
    """

    n: int
    value: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]

    def half_width(self, metric: str) -> float:
        """Half the width of a metric's interval."""
        return (self.high[metric] - self.low[metric]) / 2


@dataclass
class Until(Study):
    """Draw rows in random order, evaluate only those, and stop when the intervals are within what was asked.

    After `batch_size` rows, and after every further block, the interval of each metric is looked at. Intervals made for
    one n would not do: who looks again and again sees one that is narrow by luck. Those used here hold at every n at
    once with the confidence, each metric's by itself  [Waudby-Smith & Ramdas 2023; `pipeline.interval.capital`].

    Attributes
    ----------
    loss_within : float or None
        Stop when half the width of the loss's interval is at most this, nats, above 0; None does not ask.
    accuracy_within : float or None
        The same for the accuracy, as a fraction; at least one of the two must be asked.
    growth : float
        What each look has times as many rows as the one before, at least 1; always at least one more.
    max_rows : int or None
        Units drawn at most, at least 1; None is no such limit.
    loss_cap : float
        Losses above it count as it, nats, above 0. An interval that holds at every n needs a bound that is known before
        a row is evaluated; how many losses were above is said.
    """

    name: str = "until"
    loss_within: float | None = 0.05
    accuracy_within: float | None = 0.02
    growth: float = 1.2
    max_rows: int | None = None
    loss_cap: float = 10.0

    columns: ClassVar[tuple[str, ...]] = (
        "rows/evaluated",
        "rows/saved",
        "rows/share",
        "rows/enough",
        *(f"{metric}/{name}" for metric in METRICS for name in ("mean", "low", "high", "half_width")),
    )

    def __post_init__(self) -> None:
        for key in ("loss_within", "accuracy_within"):
            value = getattr(self, key)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise BadInput(f"study.{key} must be above 0 and finite, or null; found {value}")
        if self.loss_within is None and self.accuracy_within is None:
            raise BadInput("study.loss_within or study.accuracy_within must be given; found null for both: set one")
        if not (self.loss_cap > 0 and math.isfinite(self.loss_cap)):
            raise BadInput(f"study.loss_cap must be above 0 nats and finite; found {self.loss_cap}")
        if not (self.growth >= 1 and math.isfinite(self.growth)):
            raise BadInput(f"study.growth must be at least 1 and finite; found {self.growth}")
        if self.max_rows is not None and self.max_rows < 1:
            raise BadInput(f"study.max_rows must be a whole number of at least 1, or null; found {self.max_rows}")

    @property
    def within(self) -> dict[str, float]:
        """What was asked, by metric."""
        asked = {"loss": self.loss_within, "accuracy": self.accuracy_within}
        return {metric: value for metric, value in asked.items() if value is not None}

    def check(self, setting: Setting) -> None:
        """Refuse a design whose rows do not come one by one in random order."""
        if setting.sampling.name not in _DESIGNS:
            raise BadInput(
                f"study=until must have sampling={' or '.join(_DESIGNS)}; found {setting.sampling.name}: choose one"
            )
        if setting.interval.target == "superpopulation" and not setting.plan.is_finite:
            raise BadInput(
                "study=until with interval.target=superpopulation must draw no row twice; found "
                "sampling=with_replacement: choose sampling=without_replacement"
            )

    def answer(self, setting: Setting) -> Result:
        """Evaluate until it is enough."""
        drawn = _Drawn(setting, self.loss_cap)
        limit = setting.units.size if setting.plan.is_finite else _MOST_PASSES * setting.units.size
        limit = min(limit, self.max_rows or limit)
        looks: list[Look] = []
        with _live() as show:
            n = min(setting.batch_size, limit)
            while True:
                looks.append(drawn.look(n))
                show(tables.live(looks[-1], setting.units.size))
                if self._is_enough(looks[-1]) or n >= limit:
                    break
                n = min(max(n + 1, math.ceil(n * self.growth)), limit)
        return self._result(setting, drawn, looks)

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the cells side by side: what each took."""
        return Compared(
            figures={},
            shown=[tables.comparison(cells.to_dict("records"))],
            summary="",
            caption=tables.comparison_caption(float(cells["confidence"].min())),
        )

    def _is_enough(self, look: Look) -> bool:
        return all(look.half_width(metric) <= within for metric, within in self.within.items())

    def _result(self, setting: Setting, drawn: _Drawn, looks: list[Look]) -> Result:
        from pipeline.plots import until as plot

        last, is_enough = looks[-1], self._is_enough(looks[-1])
        metrics = {
            "rows/evaluated": float(drawn.n_rows),
            "rows/saved": float(len(setting.dataset) - drawn.n_rows),
            "rows/share": drawn.n_rows / len(setting.dataset),
            "rows/enough": float(is_enough),
            "loss/capped": float(drawn.capped),
        }
        for metric in METRICS:
            metrics[f"{metric}/mean"] = last.value[metric]
            metrics[f"{metric}/low"], metrics[f"{metric}/high"] = last.low[metric], last.high[metric]
            metrics[f"{metric}/half_width"] = last.half_width(metric)
        return Result(
            metrics=metrics,
            series=[
                (f"{metric}/seen{end}", values[metric], look.n)
                for look in looks
                for end, values in (("", look.value), ("_low", look.low), ("_high", look.high))
                for metric in METRICS
            ],
            tables={"looks.csv": _frame(looks)},
            figures={"until": plot.draw(looks, self.within, confidence=setting.confidence)},
            curve=setting.classifier.learning_curve,
            shown=tables.looks(looks, f"{setting.dataset.name}, {len(setting.dataset):,} rows", self.within),
            summary=tables.summary(metrics, is_enough=is_enough, unit=_unit(setting), n=last.n),
            notes=self._notes(setting, drawn),
        )

    def _notes(self, setting: Setting, drawn: _Drawn) -> list[str]:
        level = f"{100 * setting.confidence:g} %"
        notes = [
            f"± is half the width of an interval that holds at every look at once in {level} of such runs (betting, "
            "Waudby-Smith and Ramdas 2023), each metric's by itself",
            f"losses above {self.loss_cap:g} nats count as {self.loss_cap:g} (study.loss_cap): "
            f"{drawn.capped:,} of the {drawn.n_rows:,} rows evaluated were above",
        ]
        if setting.interval.target == "superpopulation":
            notes.append("the interval is for the world that the population came from")
        elif setting.plan.is_finite:
            notes.append(f"drawn without replacement: after all {setting.units.size:,} the values are exact")
        if setting.units.starts is not None:
            notes.append(f"batch_size, study.max_rows and the looks count groups, of which there are {drawn.size:,}")
        return notes


class _Drawn:
    """The units in the order drawn, and the values of those that were evaluated; each is evaluated once."""

    def __init__(self, setting: Setting, cap: float) -> None:
        self._setting, self._cap = setting, cap
        self.size, self.n_rows, self.capped = setting.units.size, 0, 0
        self._rng = generator(setting.seed, 0, _ORDER)
        is_finite = setting.plan.is_finite
        self._order: IntArray = self._rng.permutation(self.size) if is_finite else np.empty(0, dtype=np.intp)
        self._is_known = np.zeros(self.size, dtype=bool)
        self._values = {metric: np.empty(self.size) for metric in METRICS}
        sizes = setting.units.sizes()
        # A unit's value is its total over the mean unit's size: their mean is the population's, and has no ratio in it.
        self._mean_size = 1.0 if sizes is None else float(sizes.mean())
        self._most = {"loss": cap, "accuracy": 1.0}
        if sizes is not None:
            self._most = {metric: most * float(sizes.max()) / self._mean_size for metric, most in self._most.items()}

    def look(self, n: int) -> Look:
        """Return what the first n units say; those not evaluated yet are."""
        if len(self._order) < n:
            more = self._rng.choice(self.size, n - len(self._order))
            self._order = np.concatenate([self._order, more])
        units = self._order[:n]
        self._evaluate(np.unique(units[~self._is_known[units]]))
        setting = self._setting
        is_counted = setting.plan.is_finite and setting.interval.target == "population"
        value, low, high = {}, {}, {}
        for metric, values in self._values.items():
            own, most = values[units], self._most[metric]
            ends = sequence_interval(
                np.clip(own / most, 0.0, 1.0)[np.newaxis],
                confidence=setting.confidence,
                population_size=self.size if is_counted else None,
            )
            value[metric] = float(own.mean())
            bound = self._cap if metric == "loss" else 1.0
            # What is estimated lies within the bound of a row's value, wherever that of a group's total lies.
            low[metric], high[metric] = (min(float(end[0]) * most, bound) for end in ends)
            if is_counted and n == self.size:
                low[metric] = high[metric] = value[metric]
        return Look(n, value, low, high)

    def _evaluate(self, units: IntArray) -> None:
        if not len(units):
            return
        setting = self._setting
        rows = setting.units.rows_of(units)
        scores = score(setting.classifier, setting.dataset, rows, cap=self._cap)
        for metric, values in (("loss", scores.loss), ("accuracy", scores.correct.astype(np.float64))):
            totals = values if setting.units.is_simple else setting.units.totals(values, units)
            self._values[metric][units] = totals / self._mean_size
        self._is_known[units] = True
        self.n_rows += len(rows)
        self.capped += scores.capped


@contextmanager
def _live() -> Iterator[Callable[[str], None]]:
    """A line on standard error that says how far it is; silent where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console
    from rich.errors import LiveError

    status = Console(stderr=True).status("Evaluating")
    try:
        status.start()
    except LiveError:
        # A sweep shows its own bar.
        yield lambda text: None
        return
    try:
        yield status.update
    finally:
        status.stop()


def _unit(setting: Setting) -> str:
    return "row" if setting.units.starts is None else "group"


def _frame(looks: list[Look]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, list[float]] = {"n": [look.n for look in looks]}
    for metric in METRICS:
        columns[metric] = [look.value[metric] for look in looks]
        columns[f"{metric}_low"] = [look.low[metric] for look in looks]
        columns[f"{metric}_high"] = [look.high[metric] for look in looks]
    return pd.DataFrame(columns)
