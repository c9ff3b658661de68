"""No model: the data are predictions already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pipeline.data.base import Data
from pipeline.data.layout import Layout
from pipeline.errors import BadInput
from pipeline.model.base import Classifier, Model, unchanged
from pipeline.records import FloatArray


@dataclass
class Given(Model):
    """What stands in for a model where the data hold its predictions."""

    name: str = "given"

    def build(self, data: Data) -> GivenClassifier:
        """Return what hands the rows' own predictions on.

        Raises
        ------
        BadInput
            If the data hold none.
        """
        layout = getattr(data, "layout", None)
        if not isinstance(layout, Layout):
            raise BadInput(
                f"model=given must go with data that are predictions; found data={data.name}: choose data=predictions, "
                "or a model"
            )
        return GivenClassifier(layout)


class GivenClassifier(Classifier):
    """Hands on what the rows hold: logits, probabilities or scores."""

    def __init__(self, layout: Layout) -> None:
        self.n_inputs, self.n_classes = layout.width, layout.n_classes
        self.gives, self.metrics = layout.gives, layout.metrics
        self.is_checked = True
        # What the rows say is in the data's digest.
        self.digest = f"given {layout.gives} {' '.join(layout.metrics)}"

    def logits(self, inputs: NDArray[Any]) -> FloatArray:
        """Return the rows as they are."""
        return inputs

    def from_stored(self, scale: float) -> Callable[[NDArray[Any]], FloatArray]:
        """Return what returns the rows as they are."""
        return unchanged
