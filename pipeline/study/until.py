"""How few rows are enough? Evaluate in a random order, look again and again, and stop when the intervals are narrow."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline.draws import METRICS
from pipeline.errors import BadInput
from pipeline.interval.capital import sequence_at
from pipeline.progress import is_another_shown
from pipeline.records import IntArray
from pipeline.sampling.base import generator
from pipeline.sampling.with_replacement import WithReplacement
from pipeline.sampling.without_replacement import WithoutReplacement
from pipeline.scoring import score
from pipeline.stored import refuse_too_many
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.tables import until as tables

if TYPE_CHECKING:
    import pandas as pd

# With replacement nothing ends by itself; so many draws for each unit of the population are the most.
_MOST_DRAWS = 10
# No batch has 0 rows, and other uses of size 0 count from 0: this generator is no other's.
_ORDER = 2
# MLflow's charts show a thousand points at best, and each costs time to be logged.
_MOST_LOGGED = 500


@dataclass
class Until(Study):
    """Evaluate rows in one random order until an interval around each metric asked for is narrow enough.

    The intervals are anytime-valid (`pipeline.interval.capital.sequence_at`): with the confidence, those of all looks
    hold together, so that one may stop at whichever look one likes. Each metric has that confidence by itself.
    ``interval``, ``batch_size`` and ``draws`` have no part in it, but ``interval.target`` has.

    Attributes
    ----------
    loss_within, accuracy_within : float or None
        Half the width that the interval may have, nats and a fraction, above 0: then its middle is no further from
        the truth. None does not ask for that metric; one at least is asked for.
    max_rows : int or None
        The most rows that are drawn, at least 1. None sets no limit: without replacement all rows are the end, with
        replacement 10 draws for each row (or group) of the population.
    loss_cap : float
        Losses above it count as it, nats, above 0: no interval can be guaranteed for losses that know no bound.
    block : int
        Rows (or groups) of the first look, and the fewest from one look to the next, at least 1.
    growth : float
        A look comes no sooner than at this multiple of the rows of the last, at least 1.
    """

    name: str = "until"
    loss_within: float | None = 0.05
    accuracy_within: float | None = 0.02
    max_rows: int | None = None
    loss_cap: float = 10.0
    block: int = 50
    growth: float = 1.2

    # The goals may be null, which is no place on an axis; a seed always is one.
    axis: ClassVar[str] = "seed"
    columns: ClassVar[tuple[str, ...]] = (
        "rows/evaluated",
        "rows/saved",
        "rows/share",
        "rows/enough",
        *(f"{metric}/{name}" for metric in METRICS for name in ("mean", "low", "high", "half_width")),
        "loss/capped",
    )

    metrics_used: ClassVar[str] = "main"

    def __post_init__(self) -> None:
        for key, unit in (("loss_within", "nats"), ("accuracy_within", "a fraction such as 0.02")):
            value = getattr(self, key)
            if value is not None and not 0 < value < math.inf:
                raise BadInput(f"study.{key} must be above 0 ({unit}) or null; found {value}")
        if self.loss_within is None and self.accuracy_within is None:
            raise BadInput("study.loss_within or study.accuracy_within must be a number; found null for both: set one")
        if self.max_rows is not None and self.max_rows < 1:
            raise BadInput(f"study.max_rows must be a whole number of at least 1 or null; found {self.max_rows}")
        if not 0 < self.loss_cap < math.inf:
            raise BadInput(f"study.loss_cap must be above 0 nats and finite, such as 10; found {self.loss_cap}")
        if self.block < 1:
            raise BadInput(f"study.block must be a whole number of at least 1; found {self.block}")
        if not 1 <= self.growth < math.inf:
            raise BadInput(f"study.growth must be at least 1 and finite, such as 1.2; found {self.growth}")

    @property
    def goals(self) -> dict[str, float | None]:
        """Half the width that each metric's interval may have; None where it is not asked for."""
        return {"loss": self.loss_within, "accuracy": self.accuracy_within}

    def _goals(self, setting: Setting) -> dict[str, float | None]:
        """The goals of the metrics that there are."""
        return {metric: self.goals[metric] for metric in setting.metrics}

    def check(self, setting: Setting) -> None:
        """Refuse a design, a target or goals that the intervals are not for, and a limit that leaves no row."""
        if all(goal is None for goal in self._goals(setting).values()):
            (there,) = setting.metrics
            raise BadInput(
                f"study.{there}_within must be a number where there is no other metric than the {there}; found null: "
                f"set it, such as study.{there}_within={'0.05' if there == 'loss' else '0.02'}"
            )
        if not isinstance(setting.sampling, WithReplacement | WithoutReplacement):
            raise BadInput(
                f"study=until draws one simple random order; found sampling={setting.sampling.name}: "
                "choose sampling=without_replacement or with_replacement"
            )
        if setting.interval.target == "superpopulation" and not (setting.plan.is_finite and setting.units.is_simple):
            raise BadInput(
                "study=until with interval.target=superpopulation must draw rows that count alike, none twice; "
                f"found sampling={setting.sampling.name}{'' if setting.units.is_simple else ', groups or weights'}: "
                "choose sampling=without_replacement, or interval.target=population"
            )
        if not len(self.order(setting)):
            raise BadInput(
                f"study.max_rows must be at least the rows of the first group that is drawn; found {self.max_rows}: "
                "raise it"
            )

    def order(self, setting: Setting) -> IntArray:
        """Return the units in the order in which they are drawn, as many as may be drawn at most."""
        size = setting.units.size
        refuse_too_many(size, "study=until")
        rng = generator(setting.seed, 0, _ORDER)
        order = rng.permutation(size) if setting.plan.is_finite else rng.integers(0, size, _MOST_DRAWS * size)
        if self.max_rows is None:
            return order
        rows = np.ones(size, dtype=np.intp) if setting.units.starts is None else np.diff(setting.units.starts)
        return order[: int(np.searchsorted(np.cumsum(rows[order]), self.max_rows, side="right"))]

    def answer(self, setting: Setting) -> Result:
        """Evaluate block by block, and stop as soon as the intervals are narrow enough."""
        order, goals = self.order(setting), self._goals(setting)
        pool = Pool(setting, self.loss_cap)
        looks: list[tables.Look] = []
        with live() as show:
            for n in look_counts(len(order), block=self.block, growth=self.growth):
                pool.take(order[looks[-1].drawn if looks else 0 : n])
                looks.append(pool.look(order[:n]))
                show(lambda: tables.live(looks[-1], looks[0], goals, self._about(setting)))
                if looks[-1].is_within(goals):
                    break
        return self._result(setting, pool, looks)

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the cells' rows and intervals side by side."""
        rows = cells.to_dict("records")
        return Compared(
            figures={},
            shown=[tables.compared(rows)],
            summary=tables.compared_summary(rows),
            caption=f"{tables.LEVELS} {tables.NOT_REACHED} marks those that ended before they were narrow enough.",
        )

    def _about(self, setting: Setting) -> tables.About:
        end = "all"
        if self.max_rows is not None:
            end = f"study.max_rows={self.max_rows:,}"
        elif not setting.plan.is_finite:
            end = f"{_MOST_DRAWS} draws for each {'row' if setting.units.starts is None else 'group'} of the population"
        return tables.About(
            population=setting.dataset.name,
            n_rows=len(setting.dataset),
            confidence=setting.confidence,
            unit="row" if setting.units.starts is None else "group",
            is_repeating=not setting.plan.is_finite,
            is_world=setting.interval.target == "superpopulation",
            end=end,
        )

    def _result(self, setting: Setting, pool: Pool, looks: list[tables.Look]) -> Result:
        from pipeline.plots import until as plot

        last, about, goals = looks[-1], self._about(setting), self._goals(setting)
        metrics = {
            "rows/evaluated": float(last.rows),
            "rows/saved": float(len(setting.dataset) - last.rows),
            "rows/share": last.rows / len(setting.dataset),
            "rows/enough": float(last.is_within(goals)),
            "seconds/evaluated": pool.seconds,
        }
        if "loss" in last.found:
            metrics["loss/capped"] = float(last.capped)
        if "accuracy" in last.found and setting.classifier.gives in ("logits", "probabilities"):
            metrics["accuracy/ties"] = float(pool.ties)
        for metric, found in last.found.items():
            metrics |= {f"{metric}/{name}": getattr(found, name) for name in ("mean", "low", "high", "half_width")}
        frame = looks_frame(looks)
        return Result(
            metrics=metrics,
            series=_series(looks),
            tables={"looks.csv": frame},
            figures={"until": plot.draw(frame, goals, about)},
            curve=setting.classifier.learning_curve,
            shown=tables.table(looks, goals, about),
            summary=tables.summary(last, goals, about),
            notes=self._notes(setting, pool, looks),
        )

    def _notes(self, setting: Setting, pool: Pool, looks: list[tables.Look]) -> list[str]:
        last = looks[-1]
        about = "the world that these rows came from" if self._about(setting).is_world else setting.dataset.name
        notes = [
            f"{tables.LEVELS} Anytime-valid betting intervals for {about}: those of all looks hold together with "
            f"{100 * setting.confidence:g} % confidence{', for each metric by itself' * (len(last.found) > 1)}.",
            *setting.missing,
        ]
        if "loss" in last.found:
            notes.append(
                f"The interval is for the loss with every row's value cut to study.loss_cap={self.loss_cap:g} nats: "
                f"{last.capped:,} of {last.rows:,} evaluated rows were above it."
            )
        if not setting.units.is_simple:
            notes.append(
                "Means are weighted over whole groups or weights; their intervals are made from the unbiased sums over "
                "the total that is known of all, and a mean outside its interval is moved to its end."
            )
        if pool.ties:
            notes.append(f"{pool.ties:,} rows tie for the largest logit; the lowest class was taken")
        return notes


class Pool:
    """The units that were evaluated so far, each once however often it is drawn."""

    def __init__(self, setting: Setting, loss_cap: float) -> None:
        self._setting, self._cap = setting, loss_cap
        size, sizes = setting.units.size, setting.units.sizes()
        self._is_known = np.zeros(size, dtype=bool)
        self._totals = {metric: np.zeros(size) for metric in setting.metrics}
        self._sizes = np.ones(size) if sizes is None else sizes
        self.rows = self.ties = self.capped = 0
        self.seconds = 0.0

    def take(self, units: IntArray) -> None:
        """Evaluate those of the units that were not evaluated before."""
        setting = self._setting
        new = np.unique(units[~self._is_known[units]])
        if not len(new):
            return
        rows = setting.units.rows_of(new)
        started = time.perf_counter()
        scores = score(setting.classifier, setting.dataset, rows, cap=self._cap)
        self.seconds += time.perf_counter() - started
        for metric, totals in self._totals.items():
            totals[new] = setting.units.totals(scores.values(metric), new)
        self._is_known[new] = True
        self.rows += len(rows)
        self.ties += scores.ties
        self.capped += scores.capped

    def look(self, drawn: IntArray) -> tables.Look:
        """Put an interval around each metric of the units drawn so far, in their order."""
        found = {metric: self._found(metric, drawn) for metric in self._totals}
        return tables.Look(drawn=len(drawn), rows=self.rows, capped=self.capped, found=found)

    def _found(self, metric: str, drawn: IntArray) -> tables.Found:
        setting, most = self._setting, self._cap if metric == "loss" else 1.0
        totals, sizes = self._totals[metric][drawn], self._sizes[drawn]
        # A unit's sum over what a unit counts on average is right on average, and bounded, as the ratio of sums is not.
        bound = most * self._sizes.max() / self._sizes.mean()
        values = np.clip(totals / (most * self._sizes.max()), 0.0, 1.0)
        is_finite = setting.plan.is_finite and setting.interval.target == "population"
        low, high = sequence_at(
            values,
            np.array([len(values)]),
            confidence=setting.confidence,
            population_size=setting.units.size if is_finite else None,
        )
        low, high = np.clip(bound * low[0], 0.0, most), np.clip(bound * high[0], 0.0, most)
        mean = totals.sum() / sizes.sum()
        if is_finite and len(drawn) == setting.units.size:
            return tables.Found(float(mean), float(mean), float(mean))
        return tables.Found(float(np.clip(mean, low, high)), float(low), float(high))


def look_counts(most: int, *, block: int, growth: float) -> Iterator[int]:
    """Yield how many units have been drawn at each look: `block` more, or `growth` times as many; at last `most`.

    Examples
    --------
    >>> list(look_counts(500, block=50, growth=1.2))
    [50, 100, 150, 200, 250, 300, 360, 432, 500]
    """
    n = min(block, most)
    while n < most:
        yield n
        # Not 1.2 * 250 = 300.0000001, whatever the factor.
        n = min(most, max(n + block, math.ceil(round(growth * n, 6))))
    yield most


def looks_frame(looks: list[tables.Look]) -> pd.DataFrame:
    """Return a row a look, as ``looks.csv`` has it: units drawn, rows evaluated, and what was found."""
    import pandas as pd

    rows = []
    for look in looks:
        row: dict[str, float] = {"n": look.drawn, "rows": look.rows, "capped": look.capped}
        for metric, found in look.found.items():
            row |= {metric: found.mean, f"{metric}_low": found.low, f"{metric}_high": found.high}
            row[f"{metric}_half_width"] = found.half_width
        rows.append(row)
    return pd.DataFrame(rows)


@contextmanager
def live() -> Iterator[Callable[[Callable[[], str]], None]]:
    """Lines on standard error, written over at each look; silent where that is no terminal or a sweep shows its bar."""
    if not sys.stderr.isatty() or is_another_shown():
        yield lambda text: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as shown:
        yield lambda text: shown.update(Text(text()), refresh=True)


def _series(looks: list[tables.Look]) -> list[tuple[str, float, int]]:
    """The looks by rows evaluated; under names of their own, for ``loss/mean`` is the last one alone."""
    spaced = looks[:: math.ceil(len(looks) / _MOST_LOGGED)]
    # With replacement a look may evaluate nothing new.
    chosen = {look.rows: look for look in [*spaced, looks[-1]]}
    return [
        (f"{metric}/seen{end}", value, rows)
        for rows, look in chosen.items()
        for metric, found in look.found.items()
        for end, value in (
            ("", found.mean),
            ("_low", found.low),
            ("_high", found.high),
            ("_half_width", found.half_width),
        )
    ]
