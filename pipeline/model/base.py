"""What every model is: a configured part that builds a classifier, and the classifier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.records import FloatArray, LearningCurve, Population


def unchanged(stored: NDArray[Any]) -> NDArray[Any]:
    """Return rows as they are: the forward pass of what is given already."""
    return stored


class Classifier(ABC):
    """Turns inputs into logits.

    Attributes
    ----------
    n_inputs, n_classes : int
        Width of the inputs and of the logits.
    digest : str
        SHA-256 (hex) of everything that shapes the logits.
    gives : str
        What `logits` returns: ``logits``; ``probabilities``, shape (n, k); ``labels``, the predicted classes, shape
        (n,), of which there is an accuracy and no loss; or ``scores``, shape (n, m), the values of `metrics`.
    metrics : tuple of str
        Of the scores.
    is_checked : bool
        Whether probabilities are known to be some already, as those that were read from a table are.
    learning_curve : LearningCurve or None
        Where the classifier was trained here.
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
        """Return the unnormalised log-probabilities, or what else the classifier `gives`.

        Parameters
        ----------
        inputs : ndarray of float, shape (n, n_inputs)
            Already scaled.

        Returns
        -------
        ndarray of float32 or float64, shape (n, n_classes); of int, shape (n,), where it gives labels
        """

    def from_stored(self, scale: float) -> Callable[[NDArray[Any]], FloatArray]:
        """Return a function from inputs as stored (8-bit, not yet scaled) to logits."""
        return lambda stored: self.logits(np.multiply(stored, np.float32(scale), dtype=np.float32))


@dataclass
class Model(ABC):
    """A source of a classifier, as configured."""

    name: str

    @abstractmethod
    def build(self, data: Data) -> Classifier:
        """Return the classifier; one that is trained here is trained on ``data.load_split("train")``.

        Raises
        ------
        BadInput
            If it cannot be had, or its weights make no network.
        """

    def built(self, data: Data) -> Classifier:
        """Build the classifier, once in a process for the same files."""
        stamp = files.stamp_of(getattr(self, "path", None))
        return once(f"model {self!r} {stamp} {data!r} {data.stamp()}", lambda: self.build(data))


def fits(classifier: Classifier, dataset: Population) -> None:
    """Check that a classifier takes the data set's rows and knows its classes.

    Raises
    ------
    BadInput
        If the widths or the classes differ.
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
