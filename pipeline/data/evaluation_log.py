"""The base class of evaluation logs: files in which another tool recorded the scores of rows."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..accuracy import is_correct
from ..errors import BadInput
from ..records.rows import Dataset
from ..runtime import files
from ..runtime.memo import once
from .base import Data
from .layout import Layout
from .logs.answers import Answers


@dataclass
class Logged(Data):
    """A log of the answers that some model gave; evaluating it needs no model.

    Attributes
    ----------
    path : str or None
        The file of the log; must be given.
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
        """The content of the log; memoised in this process."""
        return once(f"log {self!r} {self.stamp()}", self.read)

    @abstractmethod
    def read(self) -> Answers:
        """Read the log.

        Raises
        ------
        BadInput
            If the log cannot be read, or an option must be set to choose among its scores.
        """

    @property
    def layout(self) -> Layout:
        """The layout of the rows: logits if the logged scores follow from them, otherwise the scores."""
        found = self.answers
        if self._has_logits:
            assert found.logits is not None
            return Layout("logits", ("log-likelihoods",), "label", found.logits.shape[1])
        columns = {"loss": found.loss, "accuracy": found.correct}
        metrics = tuple(metric for metric, column in columns.items() if column is not None)
        return Layout("scores", metrics, None, len(metrics), metrics=metrics)

    @property
    def _has_logits(self) -> bool:
        """Whether the logits give the logged scores; they do not if the log used length-normalised log-likelihoods."""
        found = self.answers
        if found.logits is None or found.labels is None or found.correct is None or found.loss is None:
            return False
        return bool(np.array_equal(is_correct(found.logits, found.labels), found.correct))

    def load_split(self, split: str) -> Dataset:
        """Return the rows of the log as a data set.

        Raises
        ------
        BadInput
            If `split` is not ``test``, or the log cannot be read.
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
        # The labels are part of the digest, because the loss depends on them.
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
        """Return a further column of the log, shape (N,)."""
        columns = self.answers.columns
        if name not in columns:
            raise BadInput(
                f"{key}={name} must be a column that every row of {self.path} has; found "
                f"{', '.join(columns) or 'no columns'}: name one of these"
            )
        return columns[name]
