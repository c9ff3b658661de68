"""The interface of a model: a configured part that builds a classifier, and the classifier itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import Data
from ..errors import BadInput, brief
from ..records.learning_curve import LearningCurve
from ..records.rows import FloatArray, Population
from ..runtime import files
from ..runtime.memo import once


def unchanged(stored: NDArray[Any]) -> NDArray[Any]:
    """Return rows as they are: the forward pass of predictions that the rows already hold."""
    return stored


class Classifier(ABC):
    """A classifier, which turns inputs into logits.

    Attributes
    ----------
    n_inputs, n_classes : int
        Width of the inputs and of the logits.
    digest : str
        Identifies everything that the logits depend on; for a file's weights a SHA-256 (hex).
    gives : str
        What `logits` returns: ``logits``; ``probabilities``, shape (n, k); ``labels``, the predicted classes, shape
        (n,), which give an accuracy and no loss; or ``scores``, shape (n, m), the values of `metrics`.
    metrics : tuple of str
        The names of the scores, if it gives scores.
    is_checked : bool
        Whether its probabilities have been checked already, as those read from a table have.
    learning_curve : LearningCurve or None
        The learning curve, if the classifier was trained here.
    """

    n_inputs: int
    n_classes: int
    digest: str
    gives: str = "logits"
    metrics: tuple[str, ...] = ()
    is_checked: bool = False
    learning_curve: LearningCurve | None = None

    @abstractmethod
    def logits(self, inputs: NDArray[Any]) -> FloatArray:
        """Return the logits (unnormalised log-probabilities), or what the classifier `gives` instead.

        Parameters
        ----------
        inputs : ndarray of float, shape (n, n_inputs)
            Already scaled.

        Returns
        -------
        ndarray of float32 or float64, shape (n, n_classes); of int, shape (n,), if it gives labels
        """

    def from_stored(self, scale: float) -> Callable[[NDArray[Any]], FloatArray]:
        """Return a function from inputs as stored (8-bit, not yet scaled) to logits."""
        return lambda stored: self.logits(np.multiply(stored, np.float32(scale), dtype=np.float32))


@dataclass
class Model(ABC):
    """A source of a classifier, as configured."""

    name: str

    # Whether the model names its classes itself, so that they are matched to the data's by name.
    knows_names: ClassVar[bool] = False

    @abstractmethod
    def build(self, data: Data) -> Classifier:
        """Return the classifier; a model that is trained here is trained on ``data.load_split("train")``.

        Raises
        ------
        BadInput
            If it cannot be loaded or trained, or its weights do not form a network.
        """

    @property
    def called(self) -> str:
        """What people call the model: its file, where it has one, else the kind of model."""
        path = str(getattr(self, "path", "") or "")
        return PurePath(path).name or self.name

    def built(self, data: Data) -> Classifier:
        """Return the classifier; it is built once in a process for the same configuration and files."""
        stamp = files.stamp_of(getattr(self, "path", None))
        self._check_order(data)
        return once(f"model {self!r} {stamp} {data!r} {data.stamp()}", lambda: self.build(data))

    def _check_order(self, data: Data) -> None:
        """Raise if the model's outputs have no names, and the order of the data's classes was found in the labels."""
        if not self.knows_names and getattr(data, "has_sorted_names", False):
            names = data.rows(data.split).class_names or ()
            raise BadInput(
                f"model={self.name} needs the order of its classes; found labels of text ({brief(', '.join(names))}): "
                "give the names in the order of the model's outputs, such as data.classes=[cat,dog]"
            )


def fits(classifier: Classifier, dataset: Population) -> None:
    """Check that a classifier fits the data: its inputs have the rows' width, and its classes are the data's.

    Raises
    ------
    BadInput
        If the widths or the numbers of classes differ.
    """
    width = dataset.width
    if classifier.n_inputs != width:
        raise BadInput(
            f"the model must take the data's {width} inputs a row; found a model of {classifier.n_inputs}: "
            "choose a model made for this data"
        )
    if classifier.n_classes != dataset.n_classes:
        raise BadInput(
            f"the model must know the data's {dataset.n_classes} classes; found a model of {classifier.n_classes}: "
            "choose a model made for this data, or say data.n_classes where some classes have no row"
        )
