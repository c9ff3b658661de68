"""What every log of evaluated rows has in common: scores, and the choices behind them where there are any."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.accuracy import is_correct
from pipeline.data.base import Data
from pipeline.data.layout import Layout
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.logs.answers import Answers
from pipeline.records import Dataset


@dataclass
class Logged(Data):
    """A log of what some model answered; no model is needed.

    Attributes
    ----------
    path : str or None
        The log.
    """

    name: str
    path: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path:
            raise BadInput(f"data.path must name a log of data={self.name}; found none: pass data.path=FILE")
        self.path = files.absolute(self.path)
        if self.one_hot:
            raise BadInput("data.one_hot must be false for a log, whose labels are classes; found true")

    @property
    def answers(self) -> Answers:
        """What the log says, read once in a process."""
        return once(f"log {self!r} {self.stamp()}", self.read)

    @abstractmethod
    def read(self) -> Answers:
        """Read the log.

        Raises
        ------
        BadInput
            If it cannot be read, or something must be chosen.
        """

    @property
    def layout(self) -> Layout:
        """What the rows hold: logits, where the scores say no more than these, else the scores."""
        found = self.answers
        if self._has_logits:
            assert found.logits is not None
            return Layout("logits", ("log-likelihoods",), "label", found.logits.shape[1])
        columns = {"loss": found.loss, "accuracy": found.correct}
        metrics = tuple(metric for metric, column in columns.items() if column is not None)
        return Layout("scores", metrics, None, len(metrics), metrics=metrics)

    @property
    def _has_logits(self) -> bool:
        """Whether the logits give the same scores: not where answers are judged by length-normalised ones."""
        found = self.answers
        if found.logits is None or found.labels is None or found.correct is None or found.loss is None:
            return False
        return bool(np.array_equal(is_correct(found.logits, found.labels), found.correct))

    def load_split(self, split: str) -> Dataset:
        """Return the rows of the log.

        Raises
        ------
        BadInput
            If another split than ``test`` is asked for, or the log cannot be read.
        """
        if split != "test":
            raise BadInput(f"data.split must be test for a log, which has no other; found {split}")
        found, layout = self.answers, self.layout
        if layout.gives == "logits":
            inputs, labels = found.logits, found.labels
        else:
            columns = [found.loss if metric == "loss" else found.correct for metric in layout.metrics]
            inputs, labels = np.stack([np.asarray(column, np.float64) for column in columns]).T, None
        assert inputs is not None
        # What is drawn, and what a design may know of it, is in the columns too.
        parts = [np.ascontiguousarray(inputs).tobytes(), b"" if labels is None else labels.tobytes()]
        return Dataset(
            inputs=inputs,
            labels=labels,  # type: ignore[arg-type]
            n_classes=layout.n_classes,
            scale=1.0,
            name=str(self.path).rpartition("/")[2],
            digest=files.content_digest(*parts),
        )

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return what else the log says of each row, shape (N,)."""
        columns = self.answers.columns
        if name not in columns:
            raise BadInput(
                f"{key}={name} must be known of every row of {self.path}; found {', '.join(columns) or 'no columns'}: "
                "name one of these"
            )
        return columns[name]
