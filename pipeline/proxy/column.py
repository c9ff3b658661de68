"""A column of the data: what somebody else said of each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.files import content_digest
from pipeline.kept import once
from pipeline.model.base import Classifier
from pipeline.proxy.base import Proxy
from pipeline.records import Guess, Population


@dataclass
class Column(Proxy):
    """Difficulty is a column of numbers, larger where a row is harder: the loss of last month's model, a length.

    Negative numbers can be put in order and corrected by; only a design that draws in proportion to them
    (``sampling=importance``) refuses them.

    Attributes
    ----------
    column : str
        Its name among the data's columns.
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
        """Return the column as difficulty and for the loss, and its negative for the accuracy."""
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
        # A signalling NaN, or what goes beyond float64, is refused below.
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
