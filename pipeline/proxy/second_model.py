"""A second, cheap model, evaluated on all rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model.base import Classifier, Model, fits
from pipeline.proxy.base import Proxy
from pipeline.records import Guess, Population
from pipeline.scoring import score


@dataclass
class SecondModel(Proxy):
    """Difficulty is the other model's loss: rows that are hard for one are often hard for the other.

    Needs the labels of all rows, but only the cheap model's logits: for models that are dear to call.

    Attributes
    ----------
    model : Model
        The cheap one, chosen and set as ``model`` is: ``proxy/model=npz proxy.model.path=FILE``.
    """

    name: str = "second_model"
    model: Model = field(kw_only=True)

    def content(self, dataset: Population, classifier: Classifier, *, data: Data) -> str:
        """Return the other model's digest."""
        try:
            return self._other(data).digest
        except BadInput as error:
            raise BadInput(f"proxy.model: {error}") from error

    def _other(self, data: Data) -> Classifier:
        return self.model.built(data)

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return its loss, nats, as difficulty and for the loss, and whether it is right for the accuracy."""
        try:
            other = self._other(data)
            fits(other, dataset)
            scores = score(other, dataset)
        except BadInput as error:
            raise BadInput(f"proxy.model: {error}") from error
        infinite = np.isinf(scores.loss)
        if infinite.any():
            raise BadInput(
                f"proxy.model must hold every row's class possible; found an infinite loss in row "
                f"{int(infinite.argmax()):,}, and {int(infinite.sum()):,} such rows: choose another model"
            )
        return Guess(scores.loss, scores.loss, scores.correct.astype(np.float64))
