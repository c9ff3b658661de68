"""The model's own confidence: the probability of the class that it chooses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.certainty import confidence_and_entropy
from pipeline.data.base import Data
from pipeline.model.base import Classifier
from pipeline.proxy.base import Proxy
from pipeline.records import Guess, Population


@dataclass
class Confidence(Proxy):
    """Difficulty is 1 - the largest softmax probability: the error rate that the model itself expects.

    Needs the logits of all rows, but no labels: for populations where labels are dear.
    """

    name: str = "confidence"

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return 1 - confidence as difficulty and for the loss, the confidence for the accuracy."""
        confidence, _ = confidence_and_entropy(classifier, dataset)
        unsure = np.maximum(1 - confidence, 0.0)
        return Guess(unsure, unsure, 1 - unsure)
