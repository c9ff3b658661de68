"""Downhill: the negative gradient of the mean loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data.base import check_split, in_memory
from ...errors import BadInput
from ...experiment import Stages
from ...model.gradient import DIFFERENTIABLE, mean_loss_and_gradients
from ...model.network import Layer, Network
from ...records.rows import Dataset
from ...runtime.cores import blas_in_one_thread
from ...runtime.memo import once
from .base import Direction, length

_BLOCK = 1024
# A trained network has left the valley's floor when the weights have moved by this share of their own length.
_REACH = 0.1


@dataclass
class Gradient(Direction):
    """The negative gradient of the mean loss over a whole split, as it is: θ + α d is one step of gradient descent.

    Attributes
    ----------
    split : str
        Whose mean loss: ``train`` or ``test``.
    """

    name: str = "gradient"
    split: str = "train"

    def __post_init__(self) -> None:
        check_split(self.split)

    def content(self, stages: Stages) -> list[str]:
        """Return the digest of the rows whose loss is followed downhill."""
        return [stages.experiment.data.rows(self.split).digest]

    def _layers(self, network: Network, stages: Stages) -> Sequence[Layer]:
        if network.activation not in DIFFERENTIABLE:
            raise BadInput(
                f"the direction gradient needs an activation that has one, {', '.join(DIFFERENTIABLE)}; found "
                f"{network.activation!r}, whose gradient is zero: choose study/direction=random or weight"
            )
        dataset = in_memory(stages.experiment.data.rows(self.split))
        key = f"gradient {network.digest} {dataset.digest} {dataset.scale}"
        return once(key, lambda: _descent(network, dataset))

    def _why_zero(self) -> str:
        return "a gradient of zero, at a minimum or a plateau: choose study/direction=random"

    def described(self, network: Network, stages: Stages) -> str:
        """Name it."""
        return f"the negative gradient of the {self.split} loss"

    def unit(self) -> str:
        """Say what α = 1 is."""
        return "learning rate of one gradient step"

    def reach(self, network: Network, layers: Sequence[Layer], stages: Stages) -> tuple[float, float]:
        """Return ±α at which the parameters have moved by a tenth of their own length."""
        alpha = _REACH * length(network.layers) / length(layers)
        return -alpha, alpha


def _descent(network: Network, dataset: Dataset) -> list[Layer]:
    """Return the negative mean gradient, layer by layer.

    It is summed over blocks in float64, with BLAS in one thread, so that its last digits depend neither on the number
    of blocks nor on the number of threads.
    """
    total = [(np.zeros(W.shape), np.zeros(b.shape)) for W, b in network.layers]
    dtype = network.layers[0][0].dtype
    for start in range(0, len(dataset), _BLOCK):
        inputs = np.multiply(dataset.inputs[start : start + _BLOCK], dtype.type(dataset.scale), dtype=dtype)
        labels = dataset.labels[start : start + _BLOCK]
        # What is no number is found by who asked for the direction.
        with blas_in_one_thread(), np.errstate(over="ignore", invalid="ignore"):
            _, gradients = mean_loss_and_gradients(network.layers, network.activation, inputs, labels)
        share = len(inputs) / len(dataset)
        for sums, found in zip(total, gradients, strict=True):
            for array, part in zip(sums, found, strict=True):
                array -= np.multiply(share, part, dtype=np.float64)
    return list(total)
