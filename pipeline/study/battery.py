"""Every interval for the loss on populations of many kinds, of which each value is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import scipy
from numpy.typing import NDArray

from ..errors import BadInput
from ..estimation.draws import batches_of, misses
from ..experiment import Stages, Study
from ..interval import loss
from ..interval.base import Interval
from ..interval.reliability import is_unreliable
from ..records.batches import Estimate
from ..report import battery as tables
from ..report.result import Compared, Result
from ..runtime.progress import Bar
from ..sampling.streams import BATTERY, generator
from .all_intervals import judge
from .generated import POPULATIONS

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
_NAMES = ("held_least", "too_low", "width_most", "too_wide")
# Values that are drawn at once.
_BLOCK_VALUES = 2_000_000


@dataclass
class Battery(Study):
    """Put every interval for the loss that is made from moments around batches of many populations.

    The populations are made by a random generator (`study/generated.py`), from calibrated models to mislabelled rows
    and losses with a tail; the losses of the data and the model at hand are one more. Batches are drawn with
    replacement.

    Attributes
    ----------
    sizes : list of int
        How many rows the generated populations have.
    rows : list of int
        How many rows a batch has; the study's own, for it runs them all in one cell.
    """

    name: str = "battery"
    sizes: list[int] = field(default_factory=lambda: [1_000, 10_000, 100_000])
    rows: list[int] = field(default_factory=lambda: [30, 100, 300, 1_000])

    columns: ClassVar[tuple[str, ...]] = tuple(
        f"loss/{name}/{what}" for name in ("hall_score", "score", "hall", "t") for what in _NAMES
    )

    def __post_init__(self) -> None:
        for key, least in (("sizes", 1), ("rows", 2)):
            values = getattr(self, key)
            if not values or min(values) < least:
                raise BadInput(f"study.{key} must be whole numbers of at least {least}; found {values}")

    def answer(self, stages: Stages) -> Result:
        """Judge every interval on every population at every size of batch."""
        asked = stages.experiment
        frame = self._judged(stages, _intervals(asked.interval.loss))
        configured = asked.interval.loss.name
        return Result(
            metrics=tables.figures(frame),
            tables={"battery.csv": frame},
            shown=tables.by_interval(frame, configured, f"{asked.draws:,} batches each"),
            further=tables.by_population(frame, configured),
            summary=tables.summary(frame, configured),
            notes=[tables.caption(asked.confidence)],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the cells' intervals below each other."""
        frame = read("battery.csv")
        shown = [
            tables.by_interval(own, "", f"{self.axis} = {value:g}")
            for value, own in frame.groupby(self.axis, sort=True)
        ]
        return Compared({}, shown, "", tables.caption(float(cells["confidence"].min())))

    def _judged(self, stages: Stages, intervals: dict[str, Interval]) -> pd.DataFrame:
        import pandas as pd

        asked, found = stages.experiment, []
        with Bar("Populations", len(POPULATIONS) * len(self.sizes) + 1) as bar:
            for place, (name, losses) in enumerate(self._populations(stages), start=1):
                for n in self.rows:
                    rng = generator(BATTERY, asked.seed, place=place, n=n)
                    about = {"population": name, "size": len(losses), "rows": n}
                    ends, unreliable = _estimated(losses, intervals, rng, n, asked.draws, asked.confidence)
                    ideal = 2 * float(scipy.special.ndtri((1 + asked.confidence) / 2)) * losses.std() / math.sqrt(n)
                    for key, (low, high) in ends.items():
                        row = _row(low, high, unreliable, losses.mean(), ideal)
                        found.append({**about, "interval": key, "confidence": asked.confidence, **row})
                bar.advance()
        return pd.DataFrame(found)

    def _populations(self, stages: Stages) -> Iterator[tuple[str, Floats]]:
        for size in self.sizes:
            for place, (name, make) in enumerate(POPULATIONS.items(), start=1):
                yield name, make(generator(BATTERY, stages.experiment.seed, place=place, n=1), size)
        if "loss" in stages.metrics:
            own = np.asarray(stages.scores()[0].loss)
            if np.isfinite(own).all():
                yield stages.about, own


def _intervals(own: Interval) -> dict[str, Interval]:
    """The intervals that need no more than moments; the configured one as it is configured."""
    found = {name: part() for name, part in loss.MEMBERS.items() if not part.needs_values}
    return {name: own if name == own.name else part for name, part in found.items()}


def _estimated(
    losses: Floats, intervals: dict[str, Interval], rng: np.random.Generator, n: int, draws: int, confidence: float
) -> tuple[dict[str, tuple[Floats, Floats]], NDArray[np.bool_]]:
    """Both ends of every interval around every draw, and which draws are called unreliable."""
    parts: dict[str, list[Estimate]] = {name: [] for name in intervals}
    unreliable = []
    at_once = max(1, _BLOCK_VALUES // n)
    for start in range(0, draws, at_once):
        drawn = losses[rng.integers(0, len(losses), (min(at_once, draws - start), n))]
        batches = batches_of(drawn)
        unreliable.append(is_unreliable(batches))
        for name, part in intervals.items():
            parts[name].append(part.estimate(batches, confidence))
    ends = {
        name: (np.concatenate([part.low for part in found]), np.concatenate([part.high for part in found]))
        for name, found in parts.items()
    }
    return ends, np.concatenate(unreliable)


def _row(low: Floats, high: Floats, unreliable: NDArray[np.bool_], truth: float, ideal: float) -> dict[str, float]:
    above, below = misses(low, high, truth)
    missed = above | below
    found = judge(low, high, truth)
    return {
        **found,
        "width_ratio": found["width_median"] / ideal,
        "unreliable": float(unreliable.mean()),
        "unreliable_of_missed": float(unreliable[missed].mean()) if missed.any() else math.nan,
    }
