"""A file of predictions: labels with logits, probabilities or scores; no model is needed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pipeline import files
from pipeline.data.layout import Layout, layout_of
from pipeline.data.predicted import Predicted
from pipeline.data.shards.places import path_of
from pipeline.data.streamed import Streamed
from pipeline.data.tabular import Tabular, labels_of
from pipeline.errors import BadInput


@dataclass
class Predictions(Tabular):
    """What some model said of N rows, in a table: Parquet, Arrow, CSV, JSON Lines, npz, or npy files in a folder.

    Attributes
    ----------
    logits, probabilities : str or None
        A list column; or the stem of one column a class, NAME_0 … NAME_{k-1}; or one number a row, for class 1 of two.
        None looks for ``logits``, ``logit_0`` …, ``probabilities``, ``probability_0`` …, ``probability``.
    loss, correct : str
        Columns of scores, nats and true or false, either or both; used where there are neither logits nor
        probabilities.
    masked : bool
        Whether a logit may be -inf: a class that is held impossible.
    tolerance : float
        How far the probabilities of a row may be off from a sum of 1; they are never normalised.
    """

    name: str = "predictions"
    logits: str | None = None
    probabilities: str | None = None
    loss: str = "loss"
    correct: str = "correct"
    masked: bool = False
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        if not self.path:
            raise BadInput("data.path must name a file of predictions; found none: pass data.path=FILE")
        super().__post_init__()
        if not 0 <= self.tolerance < 1:
            raise BadInput(f"data.tolerance must be at least 0 and below 1, such as 0.001; found {self.tolerance}")

    @property
    def layout(self) -> Layout:
        """Which columns are what."""
        return layout_of(
            self.source.columns,
            where=path_of(str(self.path)),
            logits=self.logits,
            probabilities=self.probabilities,
            label=self.label,
            loss=self.loss,
            correct=self.correct,
        )

    def streamed(self) -> Streamed:
        """Return the rows, ready to be read shard by shard, and checked as they are."""
        source, layout = self.source, self.layout
        predicted = Predicted(source, layout, self.masked, self.tolerance)
        reading = (asdict(layout), self.masked, self.tolerance)
        return Streamed(
            name=source.name,
            digest=files.digest_of(source.digest, *reading),
            contents=lambda: [files.digest_of(content, *reading) for content in source.contents],
            n_classes=layout.n_classes,
            scale=1.0,
            width=layout.width,
            bounds=source.bounds,
            read_shard=predicted.read,
            read_labels=None if layout.label is None else lambda: labels_of(source, str(layout.label)),
            row_name=source.where,
        )
