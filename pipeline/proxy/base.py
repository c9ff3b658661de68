"""What every proxy is: a guess of each row's loss and correctness that costs less than evaluating it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from pipeline.data.base import Data
from pipeline.model.base import Classifier
from pipeline.records import Guess, Population


@dataclass
class Proxy(ABC):
    """A source of guesses, as configured."""

    name: str

    def content(self, dataset: Population, classifier: Classifier, *, data: Data) -> str:
        """Return a digest of what shapes the guesses besides the data set, the classifier and the configuration."""
        return ""

    @abstractmethod
    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Guess how hard each row is.

        Parameters
        ----------
        dataset : Population
            The population of N rows.
        classifier : Classifier
            The model that is judged.
        data : Data
            Where the rows came from; gives further columns.

        Returns
        -------
        Guess
            Arrays of shape (N,); finite.

        Raises
        ------
        BadInput
            If the proxy cannot be had, or its values are not finite.
        """
