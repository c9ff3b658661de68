"""A proxy from a column of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.base import Data
from ..errors import BadInput
from ..model.base import Classifier
from ..records.rows import Population
from ..runtime.files import content_digest
from ..runtime.memo import once
from ..sampling.frame import Guess
from .base import Proxy


@dataclass
class Column(Proxy):
    """Difficulty is a column of numbers, larger for a harder row: the loss of last month's model, or a length.

    Negative numbers are allowed, except with a design that draws in proportion to them (``sampling=importance``).

    Attributes
    ----------
    column : str
        The name of the column.
    """

    name: str = "column"
    column: str = ""

    def __post_init__(self) -> None:
        if not self.column.strip():
            raise BadInput("proxy.column must name a column of numbers; found none: add proxy.column=NAME")

    def content(self, dataset: Population, classifier: Classifier, *, data: Data) -> str:
        """Return the digest of the column's values."""
        key = f"content {dataset.digest} {self!r} {data!r} {data.stamp()}"
        return once(key, lambda: content_digest(self.guess(dataset, classifier, data=data).difficulty.tobytes()))

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return the column as the difficulty and the guess of the loss; its negative is the guess of the accuracy.

        Raises
        ------
        BadInput
            If there is no such column, or it is not one finite number for each row.
        """
        found = data.column(data.split, self.column, key="proxy.column")
        if found.shape != (len(dataset),):
            raise BadInput(
                f"proxy.column={self.column} must have one value for each of the {len(dataset):,} rows; found shape "
                f"{found.shape}: choose another column"
            )
        if found.dtype.kind not in "biuf":
            raise BadInput(
                f"proxy.column={self.column} must be a column of numbers; found type {found.dtype}: choose another one"
            )
        # A signalling NaN, or a number beyond float64, is refused below.
        with np.errstate(over="ignore", invalid="ignore"):
            values = found.astype(np.float64)
        wrong = ~np.isfinite(values)
        if wrong.any():
            row = int(wrong.argmax())
            raise BadInput(
                f"proxy.column={self.column} must be finite in every row; found {values[row]} in row {row:,}, and "
                f"{int(wrong.sum()):,} such rows: fill them in"
            )
        return Guess(values, values, -values)
