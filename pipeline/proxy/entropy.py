"""The entropy of the model's own probabilities."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.certainty import confidence_and_entropy
from pipeline.data.base import Data
from pipeline.model.base import Classifier
from pipeline.proxy.base import Proxy
from pipeline.records import Guess, Population


@dataclass
class Entropy(Proxy):
    """Difficulty is -Σ p log p over the classes: the loss that the model itself expects, in nats.

    Needs the logits of all rows, but no labels: for populations where labels are dear.
    """

    name: str = "entropy"

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return the entropy as difficulty and for the loss, the confidence for the accuracy."""
        confidence, entropy = confidence_and_entropy(classifier, dataset)
        return Guess(entropy, entropy, confidence)
