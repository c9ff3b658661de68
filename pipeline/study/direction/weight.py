"""One weight alone, by its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import BadInput
from ...experiment import Stages
from ...model.network import Layer, Network
from ...records.rows import FloatArray
from .base import Direction

_FORM = re.compile(
    r"(?P<kind>[Wb])(?P<layer>\d{1,6})(\[(?P<row>\d{1,9})(,\s?(?P<column>\d{1,9}))?\]|\.(?P<row2>\d{1,9})(\.(?P<column2>\d{1,9}))?)"
)

# Rows of the population from which the size of a unit's input is judged, about.
_ROWS = 2000


@dataclass
class Weight(Direction):
    """A unit change of one weight or bias: α is what is added to it.

    Attributes
    ----------
    weight : str or None
        Such as ``W2[3,7]`` (from unit 3 of the layer before to unit 7 of layer 2, counted from 0) or ``b1[4]``; also
        ``W2.3.7`` and ``b1.4``, which need no quotes. None takes a weight of the first layer that matters: the largest
        ``|w_ij| sd(x_i) / rms(z_j) ‖v_j‖``, the share that input i has in unit j's sum z_j, times the length of the
        unit's outgoing weights v_j.
    """

    name: str = "weight"
    weight: str | None = None

    def __post_init__(self) -> None:
        if self.weight is not None and _FORM.fullmatch(self.weight.strip()) is None:
            raise BadInput(f"a weight must be named such as W2[3,7], b1[4] or W2.3.7; found {self.weight!r}")

    def _layers(self, network: Network, stages: Stages) -> Sequence[Layer]:
        layer, part, at = self._place(network, stages)
        layers = [(np.zeros_like(W), np.zeros_like(b)) for W, b in network.layers]
        layers[layer][part][at] = 1.0
        return layers

    def _why_zero(self) -> str:
        return "none"

    def _place(self, network: Network, stages: Stages) -> tuple[int, int, tuple[int, ...]]:
        """Return the layer, 0 for W or 1 for b, and the indices within."""
        if self.weight is None:
            return 0, 0, _strongest(network, stages)
        return place_of(self.weight, network.layers)

    def described(self, network: Network, stages: Stages) -> str:
        """Name it, the one that was chosen where none was named."""
        return f"the weight {name_of(*self._place(network, stages))}"

    def unit(self) -> str:
        """Say what α = 1 is."""
        return "added to the weight"

    def reach(self, network: Network, layers: Sequence[Layer], stages: Stages) -> tuple[float, float]:
        """Return ±α by which the unit's input is moved by twice its own size (root mean squares over rows)."""
        layer, part, at = self._place(network, stages)
        inputs, sums = _into(network, layer, stages)
        moved_by = _rms(inputs[:, at[0]]) if part == 0 else 1.0
        alpha = 2 * _rms(sums[:, at[-1]]) / moved_by if moved_by else 0.0
        # A weight of an input that is always 0 changes nothing, however far it is moved.
        return (-alpha, alpha) if alpha else (-1.0, 1.0)


def place_of(name: str, layers: Sequence[Layer]) -> tuple[int, int, tuple[int, ...]]:
    """Return the layer (from 0), 0 for W or 1 for b, and the indices of a weight by its name.

    Raises
    ------
    BadInput
        If there is no such weight; the message names the valid ones.
    """
    match = _FORM.fullmatch(name.strip())
    if match is not None:
        part = "Wb".index(match["kind"])
        layer = int(match["layer"]) - 1
        indices = (match["row"] or match["row2"], match["column"] or match["column2"])
        at = tuple(int(index) for index in indices if index is not None)
        if 0 <= layer < len(layers):
            shape = layers[layer][part].shape
            if len(at) == len(shape) and all(i < n for i, n in zip(at, shape, strict=True)):
                return layer, part, at
    raise BadInput(f"a weight must be one of the model's, {_valid(layers)}; found {name!r}")


def name_of(layer: int, part: int, at: Sequence[int]) -> str:
    """Name a weight by its place.

    Examples
    --------
    >>> name_of(1, 0, (3, 7)), name_of(0, 1, (4,))
    ('W2[3,7]', 'b1[4]')
    """
    return f"{'Wb'[part]}{layer + 1}[{','.join(map(str, at))}]"


def _valid(layers: Sequence[Layer]) -> str:
    """The first and the last name of every array."""
    ranges = []
    for i, layer in enumerate(layers):
        for part, array in enumerate(layer):
            first, last = name_of(i, part, [0] * array.ndim), name_of(i, part, [n - 1 for n in array.shape])
            ranges.append(f"{first} … {last}")
    return ", ".join(ranges)


def _strongest(network: Network, stages: Stages) -> tuple[int, ...]:
    inputs, sums = _into(network, 0, stages)
    weights = np.abs(network.layers[0][0].astype(np.float64))
    share = weights * inputs.std(axis=0, dtype=np.float64)[:, None]
    size = np.sqrt(np.mean(np.square(sums, dtype=np.float64), axis=0))
    share = np.divide(share, size, out=np.zeros_like(share), where=size > 0)
    if len(network.layers) > 1:
        share *= np.linalg.norm(network.layers[1][0].astype(np.float64), axis=1)
    return tuple(int(i) for i in np.unravel_index(share.argmax(), share.shape))


def _into(network: Network, layer: int, stages: Stages) -> tuple[FloatArray, FloatArray]:
    """Return what goes into a layer, (n, n_in), and what it makes of it, h W + b, (n, n_out), for some of the rows."""
    some = np.arange(0, len(stages.rows), max(1, len(stages.rows) // _ROWS))
    stored, before = stages.rows.take(some).inputs, list(network.layers[:layer])
    inputs = np.multiply(stored, np.float32(stages.rows.scale), dtype=np.float32)
    if before:
        # A network's last layer has no activation: one that changes nothing makes the layer before it a hidden one.
        width = before[-1][0].shape[1]
        inputs = Network(
            [*before, (np.eye(width, dtype=np.float32), np.zeros(width, np.float32))], network.activation
        ).logits(inputs)
    weights, bias = network.layers[layer]
    return inputs, inputs @ weights + bias


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
