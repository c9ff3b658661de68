"""A proxy from the model's confidence: the probability of the class that it predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..data.base import Data
from ..model.base import Classifier
from ..records.rows import Population
from ..sampling.frame import Guess
from .base import Proxy
from .uncertainty import confidence_and_entropy


@dataclass
class Confidence(Proxy):
    """Difficulty is 1 - the largest softmax probability: the error rate that the model itself expects.

    It needs the logits of all rows, but no labels: for populations whose labels are expensive. It is the default, so it
    names no control variate; ``proxy=entropy`` takes what the model itself expects for one.
    """

    name: str = "confidence"

    is_control: ClassVar[bool] = False

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return 1 - confidence as the difficulty and the guess of the loss, the confidence as that of the accuracy."""
        confidence, _ = confidence_and_entropy(classifier, dataset)
        unsure = np.maximum(1 - confidence, 0.0)
        return Guess(unsure, unsure, 1 - unsure)
