"""A fully connected network of any depth, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BadInput
from ..records.learning_curve import LearningCurve
from ..records.rows import FloatArray
from ..runtime import files
from .base import Classifier

Layer = tuple[FloatArray, FloatArray]

# Each overwrites the hidden layer's pre-activations.
ACTIVATE: dict[str, Callable[[FloatArray], object]] = {
    "relu": lambda z: np.maximum(z, 0, out=z),
    "tanh": lambda z: np.tanh(z, out=z),
    "step": lambda z: np.heaviside(z, z.dtype.type(0), out=z),
}
ACTIVATIONS = ("sigmoid", "relu", "tanh", "step")


class Network(Classifier):
    """A network with ``h_i = a(h_{i-1} W_i + b_i)``, whose last layer ``h W_k + b_k`` gives the logits.

    Parameters
    ----------
    layers : sequence of (W, b)
        W1, b1 … Wk, bk: W of float32 or float64, shape (n_in, n_out), each n_in the n_out before it; b of shape
        (n_out,) or (1, n_out). They are copied, and the copies are read-only.
    activation : str
        The activation of the hidden layers: ``sigmoid``, ``relu``, ``tanh``, or ``step`` (1 where x > 0, else 0).
    learning_curve : LearningCurve or None
        The learning curve, if the network was trained here.

    Attributes
    ----------
    layers : tuple of (W, b)
        Read-only arrays, all of one dtype, b of shape (n_out,).
    activation : str
        As given.

    Raises
    ------
    BadInput
        If the activation is unknown, or the weights do not chain or are not finite.
    """

    def __init__(
        self,
        layers: Sequence[tuple[ArrayLike, ArrayLike]],
        activation: str,
        *,
        learning_curve: LearningCurve | None = None,
    ) -> None:
        check_activation(activation)
        self.layers = _checked(layers)
        self.activation = activation
        self.learning_curve = learning_curve
        self.n_inputs = self.layers[0][0].shape[0]
        self.n_classes = self.layers[-1][0].shape[1]
        parts = [array for layer in self.layers for array in layer]
        shapes = f"{activation} {[(array.dtype.str, array.shape) for array in parts]}"
        self.digest = files.content_digest(shapes.encode(), *(array.tobytes() for array in parts))
        self._folded: dict[float, list[Layer]] = {}

    def logits(self, inputs: NDArray[Any]) -> FloatArray:
        """Return the unnormalised log-probabilities; see `Classifier.logits`."""
        return self.from_stored(1.0)(inputs)

    def from_stored(self, scale: float) -> Callable[[NDArray[Any]], FloatArray]:
        """Return a function from inputs as stored to logits; W1 includes the scale, so 8-bit pixels are only converted.

        The logits have the shape (n, k), and their transpose is contiguous.
        """
        # Memoised, because many small calls with one scale are usual.
        if scale not in self._folded:
            self._folded[scale] = folded(self.layers, self.activation, scale)
        *hidden, (last_weights, last_bias) = self._folded[scale]
        activate = ACTIVATE["tanh" if self.activation == "sigmoid" else self.activation]

        def forward(stored: NDArray[Any]) -> FloatArray:
            # Large numbers may overflow to NaN logits; the scoring finds them and names the row.
            with np.errstate(over="ignore", invalid="ignore"):
                values = stored.astype(last_weights.dtype, copy=False)
                for weights, bias in hidden:
                    values = values @ weights
                    values += bias
                    activate(values)
                turned = last_weights.T @ values.T
                turned += last_bias[:, None]
            return turned.T

        return forward


def check_activation(activation: str) -> None:
    """Check the option ``model.activation``.

    Raises
    ------
    BadInput
        If it is not one of `ACTIVATIONS`.
    """
    if activation not in ACTIVATIONS:
        raise BadInput(f"model.activation must be one of {', '.join(ACTIVATIONS)}; found {activation!r}")


def folded(layers: tuple[Layer, ...], activation: str, scale: float) -> list[Layer]:
    """Return the layers with the scale of the inputs in W1, and sigmoids replaced: ``σ(z) = ½ + ½ tanh(z/2)``.

    Both factors ½, and the shift by ½, go into the weights and biases, so that only the tanh has to be computed: in
    NumPy it is faster than the sigmoid, and it cannot overflow.
    """
    folded: list[Layer] = []
    for i, (weights, bias) in enumerate(layers):
        wide, shifted = weights.astype(np.float64), bias.astype(np.float64)
        if i == 0:
            wide *= scale
        if activation == "sigmoid":
            if i > 0:
                wide *= 0.5
                shifted += wide.sum(axis=0)
            if i < len(layers) - 1:
                wide *= 0.5
                shifted *= 0.5
        with np.errstate(over="ignore"):
            folded.append((wide.astype(weights.dtype), shifted.astype(bias.dtype)))
    return folded


def _checked(layers: Sequence[tuple[ArrayLike, ArrayLike]]) -> tuple[Layer, ...]:
    if not layers:
        raise BadInput("a network must have at least one layer; found none: give W1 and b1")
    arrays = [(np.asarray(weights), np.asarray(bias)) for weights, bias in layers]
    dtype = np.result_type(*(_float_dtype(array, f"{name}{i}") for name, array, i in _named(arrays)))
    checked: list[Layer] = []
    for i, (weights, bias) in enumerate(arrays, start=1):
        if weights.ndim != 2 or not all(weights.shape):
            raise BadInput(f"W{i} must have the shape (inputs, outputs), neither 0; found {weights.shape}")
        if checked and weights.shape[0] != checked[-1][0].shape[1]:
            raise BadInput(
                f"W{i} must take the {checked[-1][0].shape[1]} outputs of W{i - 1}; "
                f"found W{i} of shape {weights.shape}: give layers whose shapes chain"
            )
        if bias.shape not in ((weights.shape[1],), (1, weights.shape[1])):
            turned = bias.shape in ((weights.shape[0],), (1, weights.shape[0]))
            raise BadInput(
                f"b{i} must have the shape ({weights.shape[1]},), for W{i} must be (inputs, outputs) and is "
                f"{weights.shape}; found {bias.shape}"
                + (f": W{i} looks transposed, save W{i}.T" if turned else ": give weights and biases that match")
            )
        checked.append((_locked(weights, dtype), _locked(bias.reshape(-1), dtype)))
    for name, array, i in _named(checked):
        if not np.isfinite(array).all():
            raise BadInput(f"every weight must be a finite number; found NaN or infinity in {name}{i}: train it again")
    return tuple(checked)


def _named(layers: Sequence[Layer]) -> list[tuple[str, NDArray[Any], int]]:
    return [
        (name, array, i) for i, layer in enumerate(layers, start=1) for name, array in zip("Wb", layer, strict=True)
    ]


def _float_dtype(array: NDArray[Any], name: str) -> np.dtype[Any]:
    if array.dtype.type not in (np.float32, np.float64):
        raise BadInput(f"{name} must be float32 or float64; found {array.dtype}: convert the weights")
    return array.dtype.newbyteorder("=")


def _locked(array: NDArray[Any], dtype: np.dtype[Any]) -> FloatArray:
    copy = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy
