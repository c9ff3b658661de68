"""Which metric sees the parameters move: loss and accuracy of the same draws along a direction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import in_memory
from ..errors import BadInput
from ..estimation.draws import batches_of
from ..experiment import Stages, Study
from ..metric.chosen import MAIN, main_metrics
from ..model.network import Layer, Network
from ..report import landscape as tables
from ..report.result import Compared, Result
from .direction.base import Direction, as_network, length
from .direction.walk import scores_along

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FIGURES = ("distinct", "flat", "largest_jump")
# Points of the grid where none are named: along a line, and along each side of a plane.
_POINTS = {1: 201, 2: 41}
# Rows times points that are evaluated without being asked for.
_CHEAP = 20_000_000


@dataclass(kw_only=True)
class Landscape(Study):
    """Move the parameters to θ + α d over a grid of α, and evaluate loss and accuracy on the same rows at each.

    Attributes
    ----------
    direction : Direction
        d.
    other : Direction or None
        A second direction e: the grid is then the plane θ + α d + β e.
    low, high : float or None
        The least and the largest α (and β); None leaves it to each direction.
    points : int or None
        How many α (and how many β), odd, at least 3; None is 201 along a line and 41 along each side of a plane.
    batch_sizes : list of int
        The sizes of the batches that are drawn beside the one of ``batch_size``. Those that the design cannot draw from
        the population are left out.
    population : bool or None
        Whether all rows are evaluated at every α too. None does so up to 20 million rows times points.
    """

    name: str = "landscape"
    direction: Direction
    other: Direction | None = None
    low: float | None = None
    high: float | None = None
    points: int | None = None
    batch_sizes: list[int] = field(default_factory=lambda: [10, 100, 1000])
    population: bool | None = None

    why_both: ClassVar[str] = "the walk along a direction evaluates these two"
    columns: ClassVar[tuple[str, ...]] = tuple(f"{metric}/{name}" for metric in MAIN for name in FIGURES)

    def __post_init__(self) -> None:
        if self.points is not None and (self.points < 3 or self.points % 2 == 0):
            raise BadInput(f"study.points must be an odd whole number of at least 3, or null; found {self.points}")
        for key in ("low", "high"):
            value = getattr(self, key)
            if value is not None and not math.isfinite(value):
                raise BadInput(f"study.{key} must be a finite number, or null; found {value}")
        if any(size < 1 for size in self.batch_sizes):
            raise BadInput(f"study.batch_sizes must be whole numbers of at least 1; found {self.batch_sizes}")

    def answer(self, stages: Stages) -> Result:
        """Walk along the direction, or over the plane of two."""
        network, ways = as_network(stages.classifier), self._ways()
        moves, sides = self._moves_and_sides(stages)
        steps = _grid(sides)
        batches, notes = self._batches(stages)
        rows = self._rows(stages, batches, len(steps))
        walked = _Walked(rows, *scores_along(network, in_memory(stages.rows), moves, steps, rows))
        frame = _frame(walked, stages, batches, steps)
        for place, way in enumerate(ways):
            frame[f"direction_{'ab'[place]}"] = way.described(network, stages)
            frame[f"unit_{'ab'[place]}"] = way.unit()
        main, asked = stages.experiment.batch_size, stages.experiment
        metrics = _metrics(frame, main)
        drawn = ("", frame, main, _band(asked.confidence, asked.draws, frame))
        return Result(
            metrics=metrics,
            series=_series(frame),
            tables={"landscape.parquet": frame},
            figures=_drawn([drawn], stages.about),
            shown=tables.table(metrics, main, f"{stages.rows.name}, along {_along(frame)}"),
            summary=tables.summary(metrics, main),
            notes=[*notes, tables.CAPTION],
        )

    def content(self, stages: Stages) -> list[str]:
        """Return the digests of what the directions are made from."""
        ways = [self.direction] if self.other is None else [self.direction, self.other]
        return [digest for way in ways for digest in way.content(stages)]

    def check(self, stages: Stages) -> None:
        """Refuse a model that cannot be moved, and directions that lead nowhere."""
        stages.require_simple("landscape")
        self._moves_and_sides(stages)

    def _ways(self) -> list[Direction]:
        return [way for way in (self.direction, self.other) if way is not None]

    def _moves_and_sides(self, stages: Stages) -> tuple[list[tuple[Layer, ...]], list[NDArray[np.float64]]]:
        network = as_network(stages.classifier)
        moves = [way.of(network, stages) for way in self._ways()]
        _refuse_parallel(moves)
        return moves, [self._side(way, network, move, stages) for way, move in zip(self._ways(), moves, strict=True)]

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the landscapes of a sweep one above the other; cells that differ in batch size alone share one."""
        from ..plots import names

        frames = read("landscape.parquet")
        drawn, shown, told = [], [], []
        for group, own in cells.groupby("group", sort=False):
            frame = frames[frames["group"] == group].drop_duplicates(["point", "curve"])
            main = _nearest(own["batch_size"].to_numpy())
            metrics = _metrics(frame, main)
            about = (str(own.iloc[0]["population"]), f"along {_along(frame)}", str(group))
            shown.append(tables.table(metrics, main, ", ".join(filter(None, about))))
            told.append((str(group), metrics, main))
            band = _band(float(own.iloc[0]["confidence"]), int(own.iloc[0]["draws"]), frame)
            drawn.append((str(group), frame, main, band))
        return Compared(_drawn(drawn, names.subject(cells)), shown, tables.comparison(told), tables.CAPTION)

    def _side(self, way: Direction, network: Network, move: tuple[Layer, ...], stages: Stages) -> NDArray[np.float64]:
        """Return the α of one direction, in which 0 is 0 to the last bit."""
        own = way.reach(network, move, stages)
        low = own[0] if self.low is None else self.low
        high = own[1] if self.high is None else self.high
        if not low < high:
            raise BadInput(f"study.low must be less than study.high; found {low:g} and {high:g}")
        points = self.points or _POINTS[1 if self.other is None else 2]
        side = np.linspace(low, high, points)
        side[np.abs(side) < 1e-9 * (high - low)] = 0.0
        return side

    def _batches(self, stages: Stages) -> tuple[dict[int, NDArray[np.intp]], list[str]]:
        """Return the rows of one batch of each size, and which sizes cannot be drawn."""
        size, found, notes = len(stages.rows), {}, []
        for b in sorted({*self.batch_sizes, stages.experiment.batch_size}):
            try:
                plan = stages.experiment.sampling.plan(stages.frame, b)
            except BadInput:
                notes.append(
                    f"batches of {b:,} rows are left out: {stages.experiment.sampling.name} draws no more than {size:,}"
                )
                continue
            found[b] = np.asarray(plan.batch(stages.experiment.seed, 0).indices, dtype=np.intp)
        return found, notes

    def _rows(self, stages: Stages, batches: dict[int, NDArray[np.intp]], points: int) -> NDArray[np.intp] | None:
        """Return which rows are evaluated at every point; None is all."""
        is_cheap = len(stages.rows) * points <= _CHEAP
        if self.population or (self.population is None and is_cheap):
            return None
        return np.unique(np.concatenate(list(batches.values())))


@dataclass(frozen=True, eq=False)
class _Walked:
    """The scores of the same rows at every point.

    Attributes
    ----------
    rows : ndarray of int, sorted, or None
        Which rows; None is all of the population.
    loss, correct : ndarray, shape (points, rows)
        Nats; whether the classification was right.
    """

    rows: NDArray[np.intp] | None
    loss: NDArray[np.float64]
    correct: NDArray[np.bool_]

    def values(self, metric: str) -> NDArray[Any]:
        return {"loss": self.loss, "accuracy": self.correct}[metric]

    def of_batch(self, metric: str, indices: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return a batch's values, shape (points, b)."""
        at = indices if self.rows is None else np.searchsorted(self.rows, indices)
        return self.values(metric).take(at, axis=1).astype(np.float64, copy=False)


def _refuse_parallel(moves: list[tuple[Layer, ...]]) -> None:
    if len(moves) < 2:
        return
    pairs = [(one, two) for a, b in zip(*moves, strict=True) for one, two in zip(a, b, strict=True)]
    product = sum(float(np.sum(np.multiply(one, two, dtype=np.float64))) for one, two in pairs)
    if abs(product) > (1 - 1e-6) * length(moves[0]) * length(moves[1]):
        raise BadInput(
            "study.other must not be parallel to study.direction; found the same line twice: choose another, such as "
            "study.other.index=1 of two random directions"
        )


def _grid(sides: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return every point, shape (points, directions); the last direction runs fastest."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*sides, indexing="ij")], axis=1)


def _frame(
    walked: _Walked, stages: Stages, batches: dict[int, NDArray[np.intp]], steps: NDArray[np.float64]
) -> pd.DataFrame:
    """Return a row a point and batch size (and one for all rows), by batch size."""
    import pandas as pd

    place = {"point": np.arange(len(steps))} | dict(zip(("alpha", "beta"), steps.T, strict=False))
    frames = []
    for b, indices in batches.items():
        columns: dict[str, Any] = {**place, "curve": f"b{b}", "rows": b}
        bands = _bands(walked, stages, b, indices) if steps.shape[1] == 1 else {}
        for metric in MAIN:
            columns[metric] = walked.of_batch(metric, indices).mean(axis=1)
            if bands:
                columns[f"{metric}_low"], columns[f"{metric}_high"] = bands[metric]
        frames.append(pd.DataFrame(columns))
    if walked.rows is None:
        means = {metric: walked.values(metric).mean(axis=1) for metric in MAIN}
        frames.append(pd.DataFrame({**place, "curve": "all", "rows": len(stages.rows), **means}))
    return pd.concat(frames, ignore_index=True)


def _bands(
    walked: _Walked, stages: Stages, b: int, indices: NDArray[np.intp]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Where batches of b rows lie at each point: the draws' quantiles, or else the one batch's own interval."""
    if walked.rows is None:
        means = _means_of_draws(walked, stages, b)
        tail = (1 - stages.experiment.confidence) / 2
        ends = [tail, 1 - tail] if _are_enough(stages.experiment.draws, stages.experiment.confidence) else [0.0, 1.0]
        return {metric: tuple(np.quantile(means[metric], ends, axis=0, method="inverted_cdf")) for metric in MAIN}
    found = {}
    for metric, part in main_metrics().items():
        interval = stages.experiment.interval.of(part)
        size = len(stages.rows) if stages.plan.is_finite else None
        batches = batches_of(walked.of_batch(metric, indices), population_size=size, with_values=interval.needs_values)
        estimate = interval.estimate(batches, stages.experiment.confidence)
        found[metric] = (estimate.low, estimate.high)
    return found


def _are_enough(draws: int, confidence: float) -> bool:
    # Below, the quantiles lie beyond the lowest and the highest draw.
    return draws * (1 - confidence) / 2 >= 1


def _band(confidence: float, draws: int, frame: pd.DataFrame) -> str:
    """Say in words what `_bands` returned."""
    level = f"{100 * confidence:g} %"
    if "all" not in set(frame["curve"]):
        return f"the batch's {level} interval"
    return f"{level} of such batches" if _are_enough(draws, confidence) else f"all {draws} such batches"


def _means_of_draws(walked: _Walked, stages: Stages, b: int) -> dict[str, NDArray[np.float64]]:
    """Return each draw's mean at each point, shape (draws, points), by a sparse matrix of how often it holds a row."""
    from scipy import sparse

    size = len(stages.rows)
    plan = stages.experiment.sampling.plan(stages.frame, b)
    drawn = [plan.batch(stages.experiment.seed, i).indices for i in range(stages.experiment.draws)]
    columns, starts = np.concatenate(drawn), np.arange(stages.experiment.draws + 1) * b
    holds = sparse.csr_array((np.full(len(columns), 1 / b), columns, starts), shape=(stages.experiment.draws, size))
    return {metric: holds @ np.ascontiguousarray(walked.values(metric).T, dtype=np.float64) for metric in MAIN}


def _metrics(frame: pd.DataFrame, main: int) -> dict[str, float]:
    """The figures of every curve; those of the main batch size carry no suffix."""
    shape = [frame[axis].nunique() for axis in ("alpha", "beta") if axis in frame]
    metrics = {}
    for curve, own in frame.groupby("curve", sort=False):
        suffix = "" if curve == f"b{main}" else f"/{curve}"
        for metric in MAIN:
            values = own[metric].to_numpy().reshape(shape)
            jumps = np.concatenate([_jumps(values, axis) for axis in range(values.ndim)])
            metrics["steps"] = float(len(jumps))
            metrics[f"{metric}/distinct{suffix}"] = float(len(np.unique(values)))
            metrics[f"{metric}/flat{suffix}"] = float((jumps == 0).mean())
            metrics[f"{metric}/largest_jump{suffix}"] = float(jumps.max())
    return metrics


def _along(frame: pd.DataFrame) -> str:
    return " and ".join(str(frame[key].iloc[0]) for key in ("direction_a", "direction_b") if key in frame)


def _nearest(sizes: NDArray[np.integer[Any]]) -> int:
    """Return the batch size nearest, by ratio, to 100 rows."""
    return int(sizes[np.abs(np.log(sizes / 100)).argmin()])


def _drawn(landscapes: list[tuple[str, pd.DataFrame, int, str]], about: str) -> dict[str, Figure]:
    """Draw lines, and planes, each kind together."""
    from ..plots import landscape, landscape_plane

    panels = [landscape.Panel(*each) for each in landscapes]
    lines = [panel for panel in panels if panel.is_line]
    planes = [panel for panel in panels if not panel.is_line]
    figures = {}
    if lines:
        figures["landscape"] = landscape.draw(lines, about)
    if planes:
        figures["landscape_plane"] = landscape_plane.draw(planes, about)
    return figures


def _jumps(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """How far the value is from its neighbour's, 0 where both are infinite."""
    before, after = values.take(range(values.shape[axis] - 1), axis), values.take(range(1, values.shape[axis]), axis)
    with np.errstate(invalid="ignore"):
        return np.where(before == after, 0.0, np.abs(after - before)).ravel()


def _series(frame: pd.DataFrame) -> list[tuple[str, float, int]]:
    """Every curve of a line with step = point, and α beside them; a plane has no order in which to be a curve."""
    if "beta" in frame:
        return []
    first = frame[frame["curve"] == frame["curve"].iloc[0]]
    series = [("alpha", float(alpha), int(i)) for i, alpha in zip(first["point"], first["alpha"], strict=True)]
    for metric in MAIN:
        named = zip(frame["curve"], frame[metric], frame["point"], strict=True)
        series += [(f"{metric}/{curve}", float(value), int(i)) for curve, value, i in named]
    return series
