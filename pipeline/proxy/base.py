"""The interface of a proxy: a guess of each row's loss and correctness that costs less than evaluating it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from ..data.base import Data
from ..model.base import Classifier
from ..records.rows import Population
from ..sampling.frame import Guess


@dataclass
class Proxy(ABC):
    """A source of guesses, as configured.

    Attributes
    ----------
    has_units : bool
        Whether its guess of the loss is in nats, and that of the accuracy from 0 to 1.
    is_control : bool
        Whether studies that draw no design take it as a control variate where it is configured.
    """

    name: str

    has_units: ClassVar[bool] = False
    is_control: ClassVar[bool] = True

    def content(self, dataset: Population, classifier: Classifier, *, data: Data) -> str:
        """Return a digest of what the guesses depend on besides the data, the classifier and the configuration."""
        return ""

    def known(self, dataset: Population, *, data: Data) -> int:
        """Return how many of the N rows the guess knows something of; for the others something stands in."""
        return len(dataset)

    @abstractmethod
    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Guess how hard each row is.

        Parameters
        ----------
        dataset : Population
            The population of N rows.
        classifier : Classifier
            The model that is evaluated.
        data : Data
            The source of the rows, which has further columns.

        Returns
        -------
        Guess
            Arrays of shape (N,); finite.

        Raises
        ------
        BadInput
            If the proxy cannot be computed, or its values are not finite.
        """
