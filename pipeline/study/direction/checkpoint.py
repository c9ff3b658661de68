"""Towards another network: the line from one checkpoint to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import BadInput
from ...experiment import Stages
from ...model.network import Layer, Network
from ...model.npz import layers_of, read_all
from ...runtime import files
from .base import Direction


@dataclass
class Checkpoint(Direction):
    """The difference to another network's weights: α = 0 is the model, α = 1 is the other.

    [Goodfellow et al. 2015, Qualitatively characterizing neural network optimization problems, section 2]

    Attributes
    ----------
    path : str
        The npz file of the other's W1, b1 … Wk, bk, in the model's shapes.
    """

    name: str = "checkpoint"
    path: str = ""

    def __post_init__(self) -> None:
        if not self.path.strip():
            raise BadInput(
                "the direction checkpoint needs the npz file of the other weights; found none: add "
                "study.direction.path=FILE"
            )
        self.path = files.absolute(self.path)

    def content(self, stages: Stages) -> list[str]:
        """Return the digest of the other weights' file."""
        return [files.file_digest(Path(self.path))]

    def _layers(self, network: Network, stages: Stages) -> Sequence[Layer]:
        path = Path(self.path)
        if not path.is_file():
            raise BadInput(f"study.direction.path must name an npz file of weights; found no file {path}")
        try:
            other = Network(layers_of(read_all(path), where=str(path)), network.activation).layers
        except BadInput as error:
            raise BadInput(f"study.direction.path={self.path}: {error}") from error
        here, there = _shapes(network.layers), _shapes(other)
        if here != there:
            raise BadInput(
                f"{path} must have the model's shapes, {here}; found {there}: choose weights of the same network"
            )
        return [
            (np.subtract(V, W, dtype=np.float64), np.subtract(c, b, dtype=np.float64))
            for (V, c), (W, b) in zip(other, network.layers, strict=True)
        ]

    def _why_zero(self) -> str:
        return f"the model's own weights in {self.path}: choose another file"

    def described(self, network: Network, stages: Stages) -> str:
        """Name it by the file."""
        return f"the line to {Path(self.path).name}"

    def unit(self) -> str:
        """Say what α = 1 is."""
        return f"share of the way to {Path(self.path).name}"

    def reach(self, network: Network, layers: Sequence[Layer], stages: Stages) -> tuple[float, float]:
        """Return from half the way before the model to half the way behind the other."""
        return -0.5, 1.5


def _shapes(layers: Sequence[Layer]) -> str:
    return " ".join(f"{W.shape[0]}×{W.shape[1]}" for W, _ in layers)
