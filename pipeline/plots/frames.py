"""What the sweep plots read from the comparison's DataFrames, in the units that are drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.plots import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

# A batch size that many people use; the titles quote the swept size nearest to it.
_FAMILIAR = 100


@dataclass(frozen=True)
class Metric:
    """A metric, and how it is written.

    Attributes
    ----------
    name : str
        As in the columns: ``loss``, ``accuracy``, ``top_5``.
    unit, error_unit, short_unit : str
        Of a value, of a difference of two values, and of a difference in running text; empty where it has none.
    factor : float
        From the columns' unit to the one drawn.
    bounds : tuple of float
        The least and the largest value possible, in the unit drawn.
    called : str
        For people; empty where that is the name.
    """

    name: str
    unit: str
    error_unit: str
    short_unit: str
    factor: float
    bounds: tuple[float, float]
    called: str = ""

    @property
    def words(self) -> str:
        """What people call it: ``loss``, ``top-5 accuracy``."""
        return self.called or self.name

    @property
    def title(self) -> str:
        """The same, at the beginning of a line."""
        return self.words[:1].upper() + self.words[1:]

    @property
    def label(self) -> str:
        """For the axis of a value."""
        return f"{self.words} [{self.unit}]" if self.unit else self.words

    @property
    def error_label(self) -> str:
        """For the axis of an error."""
        unit = f" [{self.error_unit}]" if self.error_unit else ""
        return f"error of one batch's {self.words}\n(root mean square){unit}"

    def amount(self, text: str) -> str:
        """Write a difference in running text, so that one knows of which metric it is."""
        unit = {"loss": "nats", "accuracy": "accuracy points"}.get(self.name)
        return f"{text} {unit or (f'{self.words} points' if self.short_unit else f'in the {self.words}')}"

    def of(self, cells: pd.DataFrame, what: str) -> NDArray[np.float64]:
        """Return column ``<name>/<what>`` in the unit drawn; ``nan`` where it was not measured."""
        name = f"{self.name}/{what}"
        if name not in cells:
            return np.full(len(cells), np.nan)
        return self.factor * cells[name].to_numpy(dtype=np.float64)

    def error(self, cells: pd.DataFrame, what: str = "rmse") -> NDArray[np.float64]:
        """Return an error column; what only rounding keeps from zero is zero."""
        values, truth = self.of(cells, what), self.of(cells, "all")
        with np.errstate(invalid="ignore"):
            return np.where(values <= 1e-12 * np.maximum(self.factor, np.abs(truth)), 0.0, values)


LOSS = Metric("loss", "nats", "nats", "nats", 1.0, (0.0, np.inf))
ACCURACY = Metric("accuracy", "%", "percentage points", "points", 100.0, (0.0, 100.0))
METRICS = (LOSS, ACCURACY)
_FURTHER = {
    "brier": Metric("brier", "", "", "", 1.0, (0.0, 2.0), "Brier score"),
    "squared_error": Metric("squared_error", "", "", "", 1.0, (0.0, 1.0), "squared error"),
}


def metric_of(name: str) -> Metric:
    """Return how a metric is written, by what its columns are called."""
    known = {"loss": LOSS, "accuracy": ACCURACY, **_FURTHER}
    if top := re.fullmatch(r"top_(\d+)", name):
        return Metric(name, "%", "percentage points", "points", 100.0, (0.0, 100.0), f"top-{top[1]} accuracy")
    return known.get(name) or Metric(name, "", "", "", 1.0, (-np.inf, np.inf), name.replace("_", " "))


def metrics_in(cells: pd.DataFrame) -> list[Metric]:
    """Return the metrics that some cell has a mean of, loss and accuracy first."""
    there = [str(name).removesuffix("/mean") for name in cells if str(name).endswith("/mean")]
    there = [name for name in there if cells[f"{name}/mean"].notna().any()]
    main = [metric.name for metric in METRICS if metric.name in there]
    return [metric_of(name) for name in dict.fromkeys([*main, *there])]


def in_words(names: Sequence[str]) -> str:
    """Write names in a row: loss, accuracy and Brier score."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@dataclass(frozen=True, eq=False)
class Group:
    """The cells that differ in batch size alone, and how they are drawn.

    Attributes
    ----------
    name : str
        Such as ``sampling=with_replacement``; empty if there is but one group.
    cells, draws : DataFrame
        By batch size; at least one cell.
    colour, marker : str
        For matplotlib.
    fill : str
        The markers' face: later groups are hollow, so that what lies beneath them shows.
    """

    name: str
    cells: pd.DataFrame
    draws: pd.DataFrame
    colour: str
    marker: str
    fill: str

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The batch sizes, rows, ascending."""
        return self.cells["batch_size"].to_numpy(dtype=np.int64)


def groups_of(cells: pd.DataFrame, draws: pd.DataFrame) -> list[Group]:
    """Split a sweep by its column ``group``, in order of appearance."""
    groups = []
    for i, (name, own) in enumerate(cells.groupby("group", sort=False)):
        colour = style.COLOURS[i % len(style.COLOURS)]
        groups.append(
            Group(
                name=str(name),
                cells=own.sort_values("batch_size", kind="stable").drop_duplicates("batch_size", keep="last"),
                draws=draws[draws["group"] == name],
                colour=colour,
                # Six colours by six markers, shifted each round: 36 groups before two look the same.
                marker=style.MARKERS[(i + i // len(style.COLOURS)) % len(style.MARKERS)],
                fill="none" if i else colour,
            )
        )
    return groups


def theory(sizes: NDArray[np.int64], se: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the standard error on a fine grid of batch sizes that holds `sizes`.

    Its square is taken as linear in 1/b between the sizes. That is exact for simple random sampling with replacement
    (σ²/b) and without (S²/b - S²/N), the zero at b = N included, where a logarithm would fail.

    Parameters
    ----------
    sizes : ndarray of int, ascending
        Rows.
    se : ndarray of float
        Standard errors there; those that are not finite are passed over.

    Returns
    -------
    grid, error : ndarray of float
        Empty if no standard error is known.
    """
    known = np.isfinite(se)
    if not known.any():
        return np.empty(0), np.empty(0)
    at, variance = sizes[known].astype(np.float64), se[known] ** 2
    ends = (at[0], at[-1]) if len(at) > 1 else (at[0] / 1.4, at[0] * 1.4)
    grid = np.union1d(np.geomspace(*ends, 241), at)
    error = np.sqrt(np.interp(-1 / grid, -1 / at, variance))
    # The root of a square need not be the number itself; at the cells it must be.
    error[np.searchsorted(grid, at)] = se[known]
    return grid, error


def unit_of(cells: pd.DataFrame) -> str:
    """Return what a batch size counts: rows, or groups of them."""
    return f"{cells['unit'].iloc[0]}s" if "unit" in cells else "rows"


def familiar_size(cells: pd.DataFrame) -> int:
    """Return the swept batch size nearest, by ratio, to 100 rows."""
    sizes = np.unique(cells["batch_size"].to_numpy(dtype=np.int64))
    return int(sizes[np.abs(np.log(sizes / _FAMILIAR)).argmin()])


def listed(sizes: NDArray[np.int64] | list[int]) -> str:
    """Write batch sizes in a row, at most four of them."""
    numbers = [f"{size:,}" for size in sizes]
    return ", ".join(numbers if len(numbers) <= 4 else [*numbers[:3], f"… {numbers[-1]}"])


def draws_a_size(cells: pd.DataFrame) -> str:
    """Say from how many draws a point was measured."""
    counts = cells["draws"].to_numpy()
    if counts.min() == counts.max():
        return f"{style.counted(counts.max(), 'draw')} a size"
    return f"{style.span(counts, style.number)} draws a size"


def has(metric: Metric, cells: pd.DataFrame) -> bool:
    """Whether some of the cells have the metric at all."""
    return not bool(np.isnan(metric.of(cells, "mean")).all())


def missing(metric: Metric, cells: pd.DataFrame) -> str:
    """Say why a panel that needs the value of all rows has nothing to draw; empty if it has."""
    truth = metric.of(cells, "all")
    if np.isfinite(truth).any():
        return ""
    if np.isinf(truth).any():
        return f"The {metric.words} of all rows is infinite: the model gives some true class probability 0."
    if not has(metric, cells):
        return f"There is no {metric.words} here."
    return f"The {metric.words} of all rows was not computed, so what a batch is off by is not known."
