"""A proxy from the entropy of the model's probabilities."""

from __future__ import annotations

from dataclasses import dataclass

from ..data.base import Data
from ..model.base import Classifier
from ..records.rows import Population
from ..sampling.frame import Guess
from .base import Proxy
from .uncertainty import confidence_and_entropy


@dataclass
class Entropy(Proxy):
    """Difficulty is -Σ p log p over the classes: the loss that the model itself expects, in nats.

    It needs the logits of all rows, but no labels: for populations whose labels are expensive.
    """

    name: str = "entropy"

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return the entropy as the difficulty and the guess of the loss, the confidence as that of the accuracy."""
        confidence, entropy = confidence_and_entropy(classifier, dataset)
        return Guess(entropy, entropy, confidence)
