"""How few rows are enough? Evaluate in a random order, look again and again, and stop when the intervals are narrow."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..errors import BadInput
from ..experiment import Stages, Study
from ..metric.chosen import MAIN
from ..records.rows import IntArray
from ..records.stored import refuse_too_many
from ..report import until as tables
from ..report.result import Compared, Result
from ..runtime.progress import is_another_shown
from ..sampling.streams import EVALUATION_ORDER, generator
from ..sampling.with_replacement import WithReplacement
from ..sampling.without_replacement import WithoutReplacement
from .control import controls_of, notes_of
from .pool import Pool, looks_frame, looks_until

if TYPE_CHECKING:
    import pandas as pd

# With replacement nothing ends by itself; so many draws for each unit of the population are the most.
_MOST_DRAWS = 10
# MLflow's charts show a thousand points at best, and each costs time to be logged.
_MOST_LOGGED = 500


@dataclass
class Until(Study):
    """Evaluate rows in one random order until an interval around each metric asked for is narrow enough.

    The intervals are anytime-valid (`pipeline.interval.share_sequence` of shares, `pipeline.interval.capital` of
    others): with the confidence, those of all looks hold together, so that one may stop at whichever look one likes.
    Each metric has that confidence by itself.
    ``interval``, ``batch_size`` and ``draws`` have no part in it, but ``interval.target`` has. A ``proxy`` other than
    the default is a control variate: the intervals then bet on each row less what the proxy says of it, which takes
    fewer rows, and holds whatever the proxy is worth (`pipeline.interval.control_variate`).

    Attributes
    ----------
    loss_within, accuracy_within : float or None
        Half the width that the interval may have, above 0: then its middle is no further from the truth. The first is
        for the loss (nats) and any other metric that is no share, in its own unit; the second, a fraction, for the
        accuracy and any other share. None does not ask for these metrics; one of the two is a number.
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
    has_batches: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = (
        "rows/evaluated",
        "rows/saved",
        "rows/share",
        "rows/enough",
        *(f"{metric}/{name}" for metric in MAIN for name in ("mean", "low", "high", "half_width")),
        "loss/capped",
    )

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

    def _goals(self, stages: Stages) -> dict[str, float | None]:
        """Half the width that each metric's interval may have; None where it is not asked for."""
        return {
            name: self.accuracy_within if metric.is_share else self.loss_within
            for name, metric in stages.metrics.items()
        }

    def check(self, stages: Stages) -> None:
        """Refuse a design, a target or goals that the intervals are not for, and a limit that leaves no row."""
        if all(goal is None for goal in self._goals(stages).values()):
            # One of the two goals is set, so the metrics that there are all take the other one.
            metrics = list(stages.metrics.values())
            there = " and the ".join(metric.words for metric in metrics)
            key, example = ("accuracy_within", "0.02") if metrics[0].is_share else ("loss_within", "0.05")
            raise BadInput(
                f"study.{key} must be a number where there is no other metric than the {there}; found null: set it, "
                f"such as study.{key}={example}"
            )
        for name, metric in stages.metrics.items():
            if (math.isinf(metric.most) or metric.least != 0) and not metric.takes_loss_cap:
                remedy = "choose study=plan" if metric.is_alone else "leave it out of metric"
                raise BadInput(
                    f"study=until must have metrics with a largest value, for no interval holds at every look without "
                    f"one; found {name}, which has none: {remedy}"
                )
        if not isinstance(stages.experiment.sampling, WithReplacement | WithoutReplacement):
            raise BadInput(
                f"study=until draws one simple random order; found sampling={stages.experiment.sampling.name}: "
                "choose sampling=without_replacement or with_replacement"
            )
        if stages.experiment.interval.target == "superpopulation" and not (
            stages.plan.is_finite and stages.units.is_simple
        ):
            raise BadInput(
                "study=until with interval.target=superpopulation must draw rows that count alike, none twice; "
                f"found sampling={stages.experiment.sampling.name}"
                f"{'' if stages.units.is_simple else ', groups or weights'}: "
                "choose sampling=without_replacement, or interval.target=population"
            )
        _check_proxy(stages)
        if not len(self.order(stages)):
            raise BadInput(
                f"study.max_rows must be at least the rows of the first group that is drawn; found {self.max_rows}: "
                "raise it"
            )

    def order(self, stages: Stages) -> IntArray:
        """Return the units in the order in which they are drawn, as many as may be drawn at most."""
        size = stages.units.size
        refuse_too_many(size, "study=until")
        rng = generator(EVALUATION_ORDER, stages.experiment.seed)
        order = rng.permutation(size) if stages.plan.is_finite else rng.integers(0, size, _MOST_DRAWS * size)
        if self.max_rows is None:
            return order
        rows = np.ones(size, dtype=np.intp) if stages.units.starts is None else np.diff(stages.units.starts)
        return order[: int(np.searchsorted(np.cumsum(rows[order]), self.max_rows, side="right"))]

    def answer(self, stages: Stages) -> Result:
        """Evaluate block by block, and stop as soon as the intervals are narrow enough."""
        order, goals = self.order(stages), self._goals(stages)
        pool = self._pool(stages)
        looks: list[tables.Look] = []
        with live() as show:
            for look in looks_until(pool, order, goals, block=self.block, growth=self.growth):
                looks.append(look)
                show(lambda: tables.live(looks[-1], looks[0], goals, self._about(stages)))
        return self._result(stages, pool, looks)

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the cells' rows and intervals side by side."""
        rows = cells.to_dict("records")
        return Compared(
            figures={},
            shown=tables.compared(rows),
            summary=tables.compared_summary(rows),
            caption=f"{tables.LEVELS} {tables.NOT_REACHED} marks those that ended before they were narrow enough.",
        )

    def _pool(self, stages: Stages) -> Pool:
        return Pool(
            lambda rows: stages.score(rows, loss_cap=self.loss_cap),
            stages.units,
            stages.metrics,
            loss_cap=self.loss_cap,
            goals=self._goals(stages),
            confidence=stages.experiment.confidence,
            is_finite=stages.plan.is_finite and stages.experiment.interval.target == "population",
            controls=controls_of(stages, loss_cap=self.loss_cap),
        )

    def _about(self, stages: Stages) -> tables.About:
        end = "all"
        if self.max_rows is not None:
            end = f"study.max_rows={self.max_rows:,}"
        elif not stages.plan.is_finite:
            end = f"{_MOST_DRAWS} draws for each {'row' if stages.units.starts is None else 'group'} of the population"
        return tables.About(
            population=stages.rows.name,
            n_rows=len(stages.rows),
            confidence=stages.experiment.confidence,
            unit="row" if stages.units.starts is None else "group",
            is_repeating=not stages.plan.is_finite,
            is_world=stages.experiment.interval.target == "superpopulation",
            end=end,
            loss_cap=self.loss_cap,
        )

    def _result(self, stages: Stages, pool: Pool, looks: list[tables.Look]) -> Result:
        from ..plots import until as plot

        last, about, goals = looks[-1], self._about(stages), self._goals(stages)
        metrics = {
            "rows/evaluated": float(last.rows),
            "rows/saved": float(len(stages.rows) - last.rows),
            "rows/share": last.rows / len(stages.rows),
            "rows/enough": float(last.is_within(goals)),
            "seconds/evaluated": pool.seconds,
        }
        if "loss" in last.found:
            metrics["loss/capped"] = float(last.capped)
        if "accuracy" in last.found and stages.classifier.gives in ("logits", "probabilities"):
            metrics["accuracy/ties"] = float(pool.ties)
        for metric, found in last.found.items():
            metrics |= {f"{metric}/{name}": getattr(found, name) for name in ("mean", "low", "high", "half_width")}
        frame, shown = looks_frame(looks), tables.tables(looks, goals, about)
        return Result(
            metrics=metrics,
            series=_series(looks),
            tables={"looks.csv": frame},
            figures={"until": plot.draw(frame, goals, replace(about, population=stages.about))},
            curve=stages.classifier.learning_curve,
            shown=shown[0],
            further=shown[1:],
            summary=tables.summary(last, goals, about),
            notes=self._notes(stages, pool, looks),
        )

    def _notes(self, stages: Stages, pool: Pool, looks: list[tables.Look]) -> list[str]:
        last = looks[-1]
        about = "the world that these rows came from" if self._about(stages).is_world else stages.rows.name
        notes = [
            f"{tables.LEVELS} Anytime-valid intervals for {about}: those of all looks hold together with "
            f"{100 * stages.experiment.confidence:g} % confidence"
            f"{', for each metric by itself' * (len(last.found) > 1)}.",
            *stages.missing,
            *notes_of(stages, pool.left(self.order(stages)[: last.drawn])),
        ]
        if not stages.units.is_simple:
            notes.append(
                "Means are weighted over whole groups or weights; their intervals are made from the unbiased sums over "
                "the total that is known of all, and a mean outside its interval is moved to its end."
            )
        if pool.ties:
            notes.append(f"{pool.ties:,} rows tie for the largest logit; the lowest class was taken")
        return notes


def _check_proxy(stages: Stages) -> None:
    proxy, target = stages.experiment.proxy, stages.experiment.interval.target
    if proxy.is_control and target == "superpopulation":
        raise BadInput(
            "study=until with a proxy must be about the rows at hand, for of the world the proxy's mean is not known; "
            f"found interval.target={target} and proxy={proxy.name}: choose interval.target=population, or leave proxy "
            "out"
        )
    # A file that does not fit is refused before a run exists.
    controls_of(stages)


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
