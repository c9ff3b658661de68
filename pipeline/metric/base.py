"""What every metric is: one value a row, how its mean is estimated, and how it is written."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Metric(ABC):
    """A metric, as configured; its mean over a batch is the estimate.

    The class variables are all that the rest of the program knows of a metric besides its values.

    Attributes
    ----------
    is_share : bool
        Whether a row's value is 0 or 1, so that the mean is a share. Shares get ``interval.accuracy``, all other
        metrics ``interval.loss``; see `Share`.
    least, most : float
        The smallest and the largest value that a row can have; -inf and inf where there is none. Guaranteed intervals
        and ``study=until`` need both, and the smallest to be 0.
    takes_loss_cap : bool
        Whether ``study.loss_cap`` cuts its values: the loss alone.
    origin : float
        Subtracted from every value before it is multiplied by a sampling weight. The larger the values that are
        multiplied, the larger the variance; of a share that is near 1 the errors are smaller than the hits.
    is_better_low : bool or None
        Whether a smaller mean is the better one; None where that is not known.
    is_alone : bool
        Whether it is all that the data have, so that no loss and no accuracy is missed.
    is_together : bool
        Whether it is a metric of all rows together, which has no value for a row; see `together.Together`.
    is_double : bool
        Whether it is kept on disk as float64: the spread of large numbers may be small.
    dtype : type
        Of the column that is kept on disk where it is not a float.
    unit, error_unit, short_unit : str
        Of a mean, of a difference of two means, and of a difference in running text; empty where it has none.
    factor : float
        What means are multiplied by to be shown in `unit`.
    digits : int
        Decimals of a mean in a table, in `unit`; see `decimals`.
    """

    name: str

    is_share: ClassVar[bool] = False
    least: ClassVar[float] = 0.0
    most: ClassVar[float] = math.inf
    takes_loss_cap: ClassVar[bool] = False
    origin: ClassVar[float] = 0.0
    is_better_low: ClassVar[bool | None] = True
    is_alone: ClassVar[bool] = False
    is_together: ClassVar[bool] = False
    is_double: ClassVar[bool] = False
    dtype: ClassVar[type[np.generic]] = np.float64
    unit: ClassVar[str] = ""
    error_unit: ClassVar[str] = ""
    short_unit: ClassVar[str] = ""
    factor: ClassVar[float] = 1.0
    digits: ClassVar[int] = 4

    @classmethod
    def of_column(cls, column: str) -> Metric | None:
        """Return the metric of this class whose figures have this name; None if there is none."""
        metric = cls()  # type: ignore[call-arg]
        return metric if metric.column == column else None

    @property
    def column(self) -> str:
        """The name in columns and in MLflow's metrics: ``brier``, ``top_5``."""
        return self.name

    @property
    def words(self) -> str:
        """The name in sentences: ``loss``, ``top-5 accuracy``."""
        return self.column.replace("_", " ")

    @property
    def row_words(self) -> str:
        """The name of one row's value in sentences."""
        return self.words

    @property
    def title(self) -> str:
        """The name at the beginning of a line."""
        return self.words[:1].upper() + self.words[1:]

    @property
    def short(self) -> str:
        """The name in a narrow heading."""
        return self.words.split()[0]

    @property
    def label(self) -> str:
        """Of the axis of a mean."""
        return f"{self.words} [{self.unit}]" if self.unit else self.words

    @property
    def error_label(self) -> str:
        """Of the axis of an error."""
        unit = f" [{self.error_unit}]" if self.error_unit else ""
        return f"error of one batch's {self.words}\n(root mean square){unit}"

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest mean possible, in `unit`."""
        return self.factor * self.least, self.factor * self.most

    @property
    def span(self) -> float:
        """The largest difference of two means that there can be, such as 1 of shares."""
        return self.most - self.least

    def decimals(self, error: float) -> int:
        """Return the decimals of means in a table, of which the smallest `error` that is shown is given in `unit`."""
        return self.digits

    def amount(self, text: str) -> str:
        """Write a difference in running text so that the reader knows which metric it is of."""
        if self.is_share:
            return f"{text} {self.words} points"
        return f"{text} {self.short_unit}" if self.short_unit else f"{text} in the {self.words}"

    def tolerance(self, within: float) -> str:
        """Write how far a mean may be off: ``±0.02 nats``, ``±1 point``."""
        value = f"{self.factor * within:g}"
        is_one_point = self.short_unit == "points" and value == "1"
        unit = self.short_unit.removesuffix("s") if is_one_point else self.short_unit
        return f"±{value} {unit}".rstrip()

    def named_tolerance(self, within: float) -> str:
        """Write how far a mean may be off so that the reader knows of which metric: ``±1 accuracy point``."""
        amount, _, unit = self.tolerance(within).partition(" ")
        if self.is_share:
            return f"{amount} {self.words} {unit}"
        return f"{amount} {unit}" if unit else f"{amount} in the {self.words}"

    def of(self, cells: pd.DataFrame, what: str) -> NDArray[np.float64]:
        """Return the column ``<column>/<what>`` in `unit`; ``nan`` where it was not measured."""
        name = f"{self.column}/{what}"
        if name not in cells:
            return np.full(len(cells), np.nan)
        return self.factor * cells[name].to_numpy(dtype=np.float64)

    def error(self, cells: pd.DataFrame, what: str = "rmse") -> NDArray[np.float64]:
        """Return an error column; an error that rounding alone explains is 0."""
        values, truth = self.of(cells, what), self.of(cells, "all")
        with np.errstate(invalid="ignore"):
            return np.where(values <= 1e-12 * np.maximum(self.factor, np.abs(truth)), 0.0, values)

    def check(self, n_classes: int) -> None:
        """Refuse data with too few classes for the metric to tell anything.

        Raises
        ------
        BadInput
            If there are too few.
        """

    @abstractmethod
    def values(
        self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str
    ) -> NDArray[np.floating[Any]] | NDArray[np.bool_]:
        """Return one value a row.

        Parameters
        ----------
        outputs : ndarray of float, shape (n, k)
            What the model gives.
        labels : ndarray, shape (n,) of int or (n, k) of float
            The true classes, or a row of label probabilities each.
        gives : str
            What `outputs` are: ``logits`` or ``probabilities``.

        Returns
        -------
        ndarray of float64 or bool, shape (n,)
        """


class Share(Metric):
    """A metric that is 0 or 1 for each row; its mean is shown in per cent, and more is better."""

    is_share: ClassVar[bool] = True
    most: ClassVar[float] = 1.0
    origin: ClassVar[float] = 1.0
    is_better_low: ClassVar[bool | None] = False
    unit: ClassVar[str] = "%"
    error_unit: ClassVar[str] = "percentage points"
    short_unit: ClassVar[str] = "points"
    factor: ClassVar[float] = 100.0
    digits: ClassVar[int] = 2


def squared_distance(outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
    """Return ``Σ_j (p_j - t_j)²`` of each row; logits are turned into probabilities, probabilities taken as they are.

    Parameters
    ----------
    outputs, labels, gives
        As `Metric.values` has them.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 … 2.
    """
    # Here, for reports and plots import the metrics and need no SciPy.
    from scipy import special

    rows = np.asarray(outputs, dtype=np.float64)
    # A row of nothing but -inf is refused by its loss.
    with np.errstate(invalid="ignore"):
        apart = special.softmax(rows, axis=1) if gives == "logits" else rows.copy()
    if np.ndim(labels) == 2:
        apart -= labels
    else:
        apart[np.arange(len(apart)), labels] -= 1.0
    return np.einsum("ij,ij->i", apart, apart)
