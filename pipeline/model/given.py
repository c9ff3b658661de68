"""No model, because the data already are predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..data.base import Data
from ..data.layout import Layout
from ..errors import BadInput
from ..records.rows import FloatArray
from .base import Classifier, Model, unchanged


@dataclass
class Given(Model):
    """The choice of model for data that hold predictions: they are passed on unchanged."""

    name: str = "given"

    @property
    def called(self) -> str:
        """Nothing: the file of predictions already has the name."""
        return ""

    def build(self, data: Data) -> GivenClassifier:
        """Return a classifier that passes the rows' own predictions on.

        Raises
        ------
        BadInput
            If the data hold no predictions.
        """
        layout = getattr(data, "layout", None)
        if not isinstance(layout, Layout):
            raise BadInput(
                f"model=given must go with data that are predictions; found data={data.name}: choose data=predictions, "
                "or a model"
            )
        return GivenClassifier(layout)


class GivenClassifier(Classifier):
    """A classifier that returns what the rows hold: logits, probabilities, predicted labels or scores.

    Parameters
    ----------
    layout : Layout
        What the columns of the data are.
    """

    def __init__(self, layout: Layout) -> None:
        self.n_inputs, self.n_classes = layout.width, layout.n_classes
        self.gives, self.metrics = layout.gives, layout.metrics
        self.is_checked = True
        # The predictions themselves are in the data's digest.
        self.digest = f"given {layout.gives} {' '.join(layout.metrics)}"

    def logits(self, inputs: NDArray[Any]) -> FloatArray:
        """Return the rows as they are; predicted labels as shape (n,)."""
        return inputs[:, 0] if self.gives == "labels" else inputs

    def from_stored(self, scale: float) -> Callable[[NDArray[Any]], FloatArray]:
        """Return a function that returns the rows as they are; predicted labels as shape (n,)."""
        return self.logits if self.gives == "labels" else unchanged
