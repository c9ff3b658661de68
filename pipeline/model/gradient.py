"""Back-propagation: a network's mean cross-entropy and its gradient by every weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..loss import cross_entropy
from ..records.rows import FloatArray
from .network import Layer

# By name: the activation, which overwrites its argument, and its derivative as a function of the activation's value.
_DIFFERENTIABLE: dict[str, tuple[Callable[[FloatArray], object], Callable[[FloatArray], Any]]] = {
    "sigmoid": (lambda z: _sigmoid_in_place(z), lambda h: h * (1 - h)),
    "relu": (lambda z: np.maximum(z, 0, out=z), lambda h: h > 0),
    "tanh": (lambda z: np.tanh(z, out=z), lambda h: 1 - h * h),
}
DIFFERENTIABLE = tuple(_DIFFERENTIABLE)


def mean_loss_and_gradients(
    layers: Sequence[Layer], activation: str, inputs: FloatArray, labels: NDArray[Any]
) -> tuple[float, list[Layer]]:
    """Return the mean cross-entropy of a batch, and its gradient by every weight and bias.

    ``δ_k = (softmax(z_k) Σ_j t_j - t) / n``, ``∂L/∂W_i = h_{i-1}ᵀ δ_i``, ``∂L/∂b_i = Σ δ_i``,
    ``δ_{i-1} = (δ_i W_iᵀ) a'(z_{i-1})``  [Bishop 2006, PRML, eqs. 5.53, 5.56 and 4.109]

    Parameters
    ----------
    layers : sequence of (W, b)
        As `Network.layers`; everything is computed in their dtype.
    activation : str
        The activation of the hidden layers: ``sigmoid``, ``relu`` or ``tanh``.
    inputs : ndarray of float, shape (n, n_inputs)
        Already scaled; at least one row.
    labels : ndarray, shape (n,) of int or (n, k) of float
        The true classes, or a row of label probabilities (one-hot or soft) for each.

    Returns
    -------
    loss : float
        The mean loss, nats.
    gradients : list of (dW, db)
        In the shapes of `layers`.

    Raises
    ------
    BadInput
        If the activation has no useful gradient.
    ValueError
        If labels and logits do not match.
    """
    outputs, logits = forward(layers, activation, inputs)
    loss = float(cross_entropy(logits, labels).mean())

    delta_of_mean = delta_of_logits(logits, labels)
    delta_of_mean /= len(logits)
    gradients: list[Layer] = [
        (below.T @ delta, delta.sum(axis=0)) for below, delta in backward(layers, activation, outputs, delta_of_mean)
    ]
    return loss, gradients[::-1]


def forward(layers: Sequence[Layer], activation: str, inputs: FloatArray) -> tuple[list[FloatArray], FloatArray]:
    """Return the inputs of each layer, ``h_0`` (the network's inputs) … ``h_{k-1}``, and the logits.

    The arguments are those of `mean_loss_and_gradients`.

    Raises
    ------
    BadInput
        If the activation has no useful gradient.
    """
    check_differentiable(activation)
    activate, _ = _DIFFERENTIABLE[activation]
    outputs = [inputs]
    for weights, bias in layers[:-1]:
        values = outputs[-1] @ weights
        values += bias
        activate(values)
        outputs.append(values)
    weights, bias = layers[-1]
    logits = outputs[-1] @ weights
    logits += bias
    return outputs, logits


def backward(
    layers: Sequence[Layer], activation: str, outputs: Sequence[FloatArray], delta: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield each layer's ``(h_{i-1}, δ_i)``, the last layer first; the gradients are their products.

    Parameters
    ----------
    layers, activation
        As `mean_loss_and_gradients` takes them.
    outputs : sequence of ndarray, shape (n, n_in)
        From `forward`.
    delta : ndarray of float, shape (n, k)
        The gradient by the logits, including the weight of each row.
    """
    _, derivative = _DIFFERENTIABLE[activation]
    for i in reversed(range(len(layers))):
        yield outputs[i], delta
        if i:
            delta = delta @ layers[i][0].T
            delta *= derivative(outputs[i])


def check_differentiable(activation: str) -> None:
    """Check that a network with this activation can be trained.

    Raises
    ------
    BadInput
        If it is unknown, or is ``step``, whose gradient is zero.
    """
    if activation not in DIFFERENTIABLE:
        why = " (its gradient is zero, so nothing can be learnt by it)" if activation == "step" else ""
        raise BadInput(
            f"model.activation must be one of {', '.join(DIFFERENTIABLE)} to be trained; found {activation!r}{why}"
        )


def delta_of_logits(logits: FloatArray, labels: NDArray[Any]) -> FloatArray:
    """Return the gradient of each row's loss by its logits, ``softmax(z) Σ_j t_j - t``; it overwrites the logits."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    if labels.ndim == 2:
        logits *= labels.sum(axis=1, keepdims=True, dtype=logits.dtype)
        logits -= labels
    else:
        logits[np.arange(len(labels)), labels] -= 1
    return logits


def _sigmoid_in_place(z: FloatArray) -> None:
    """Compute ``σ(z) = ½ + ½ tanh(z/2)``, which cannot overflow."""
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5
