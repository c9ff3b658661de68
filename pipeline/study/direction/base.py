"""What every direction is: a change of all the parameters, θ + α d."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import BadInput
from ...experiment import Stages
from ...model.base import Classifier
from ...model.network import Layer, Network


@dataclass
class Direction(ABC):
    """A direction in the space of the parameters, as configured."""

    name: str

    def of(self, classifier: Classifier, stages: Stages) -> tuple[Layer, ...]:
        """Return d, a change of every weight and bias.

        Parameters
        ----------
        classifier : Classifier
            A `Network`, whose parameters are θ.
        stages : Stages
            Where the data and the seed are.

        Returns
        -------
        tuple of (dW, db)
            In the shapes and the dtype of ``network.layers``; finite, and not zero everywhere.

        Raises
        ------
        BadInput
            If the classifier is no network of layers, or the direction cannot be had, is not finite, or has no length.
        """
        network = as_network(classifier)
        with np.errstate(over="ignore"):
            layers = tuple(
                (dW.astype(W.dtype), db.astype(b.dtype))
                for (dW, db), (W, b) in zip(self._layers(network, stages), network.layers, strict=True)
            )
        far = length(layers)
        if not math.isfinite(far):
            raise BadInput(
                f"the direction {self.name} must be of finite numbers; found NaN or infinity: choose another "
                "study/direction"
            )
        if far == 0:
            raise BadInput(f"the direction {self.name} must have a length; found {self._why_zero()}")
        return layers

    def content(self, stages: Stages) -> list[str]:
        """Return digests of what shapes the direction besides the classifier and the configuration."""
        return []

    @abstractmethod
    def _layers(self, network: Network, stages: Stages) -> Sequence[Layer]:
        """Return d in the shapes of ``network.layers``, in any float dtype."""

    @abstractmethod
    def _why_zero(self) -> str:
        """Say what a zero length means, and what to do."""

    @abstractmethod
    def described(self, network: Network, stages: Stages) -> str:
        """Name the direction in running text, such as ``a random direction``."""

    @abstractmethod
    def unit(self) -> str:
        """Say what α = 1 is."""

    @abstractmethod
    def reach(self, network: Network, layers: Sequence[Layer], stages: Stages) -> tuple[float, float]:
        """Return the least and the largest α of a picture that shows something.

        Parameters
        ----------
        network : Network
            At α = 0.
        layers : sequence of (dW, db)
            What `of` returned.
        stages : Stages
            Where the data are.
        """


def as_network(classifier: Classifier) -> Network:
    """Return the classifier as a network whose parameters can be moved.

    Raises
    ------
    BadInput
        If it is another kind of model.
    """
    if not isinstance(classifier, Network):
        raise BadInput(
            "a direction needs a model whose weights can be moved; found a "
            f"{type(classifier).__name__}: choose model=mlp or model=npz"
        )
    return classifier


def moved(network: Network, direction: Sequence[Layer], alpha: float) -> Network:
    """Return the network at θ + α d.

    Parameters
    ----------
    network : Network
        At θ.
    direction : sequence of (dW, db)
        d, in the shapes of ``network.layers``.
    alpha : float
        α, finite.

    Raises
    ------
    BadInput
        If α is no finite number, or the weights get so large that they are none.
    """
    if not math.isfinite(alpha):
        raise BadInput(f"a step along a direction must be a finite number; found {alpha}")
    layers = []
    with np.errstate(over="ignore", invalid="ignore"):
        for (W, b), (dW, db) in zip(network.layers, direction, strict=True):
            layers.append(((W + np.multiply(alpha, dW)).astype(W.dtype), (b + np.multiply(alpha, db)).astype(b.dtype)))
    return Network(layers, network.activation)


def length(layers: Sequence[Layer]) -> float:
    """Return the Euclidean norm of all weights and biases together."""
    squares = (float(np.sum(np.square(array, dtype=np.float64))) for layer in layers for array in layer)
    return math.sqrt(sum(squares))
