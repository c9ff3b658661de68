"""Somewhere: a random direction with filter normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import BadInput
from ...experiment import Stages
from ...model.network import Layer, Network
from ...sampling.streams import DIRECTION, generator
from .base import Direction


@dataclass
class Random(Direction):
    """Gaussian numbers, each unit's incoming weights scaled to the length that they have in the network.

    ``d_j ← d_j ‖w_j‖ / ‖d_j‖`` for the column j of every W, and 0 for the biases  [Li et al. 2018, Visualizing the loss
    landscape of neural nets, section 4, where a filter of a fully connected layer is the weights of one neuron; their
    code leaves biases alone by default]. So α = 1 changes every unit by as much as it is, whatever its scale.

    Attributes
    ----------
    index : int
        Which of the directions that the experiment's ``seed`` gives: 0, 1, …
    """

    name: str = "random"
    index: int = 0

    def __post_init__(self) -> None:
        if self.index < 0:
            raise BadInput(f"the random direction's index must be a whole number of at least 0; found {self.index}")

    def _layers(self, network: Network, stages: Stages) -> Sequence[Layer]:
        rng = generator(DIRECTION, stages.experiment.seed, index=self.index)
        return [(_like(W.astype(np.float64), rng), np.zeros(b.shape)) for W, b in network.layers]

    def _why_zero(self) -> str:
        return "a network whose weights are all 0, which filter normalisation keeps: train it"

    def described(self, network: Network, stages: Stages) -> str:
        """Name it."""
        return "a random direction"

    def unit(self) -> str:
        """Say what α = 1 is."""
        return "share of each unit's own weights"

    def reach(self, network: Network, layers: Sequence[Layer], stages: Stages) -> tuple[float, float]:
        """Return ±1, as Li et al. draw it."""
        return -1.0, 1.0


def _like(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.standard_normal(weights.shape)
    return drawn * (np.linalg.norm(weights, axis=0) / np.linalg.norm(drawn, axis=0))
