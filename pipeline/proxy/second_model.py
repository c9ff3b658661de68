"""A proxy from a second, cheap model that is evaluated on all rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ..data.base import Data
from ..errors import BadInput
from ..model.base import Classifier, Model, fits
from ..records.rows import Population
from ..sampling.frame import Guess
from ..scoring.rows import score
from .base import Proxy


@dataclass
class SecondModel(Proxy):
    """Difficulty is the second model's loss, because rows that are hard for one model are often hard for another.

    It needs the labels of all rows, but only the cheap model's logits: for models that are expensive to run.

    Attributes
    ----------
    model : Model
        The cheap model, chosen and set as ``model`` is: ``proxy/model=npz proxy.model.path=FILE``.
    """

    name: str = "second_model"
    model: Model = field(kw_only=True)

    has_units: ClassVar[bool] = True

    def content(self, dataset: Population, classifier: Classifier, *, data: Data) -> str:
        """Return the second model's digest."""
        try:
            return self.model.built(data).digest
        except BadInput as error:
            raise BadInput(f"proxy.model: {error}") from error

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return its loss, nats, as the difficulty and the guess of the loss, its correctness as that of the accuracy.

        Raises
        ------
        BadInput
            If the second model cannot be built, does not fit the data, or has an infinite loss.
        """
        try:
            other = self.model.built(data)
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
