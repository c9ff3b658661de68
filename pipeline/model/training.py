"""Training of a network by mini-batch gradient descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..accuracy import is_correct
from ..errors import BadInput
from ..loss import cross_entropy
from ..records.learning_curve import LearningCurve
from ..records.rows import Dataset, FloatArray, IntArray
from ..sampling.streams import MODEL, generator
from .gradient import mean_loss_and_gradients
from .network import Layer, Network

# Rows whose loss is computed at once.
_BLOCK = 1024


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the attributes are those of `pipeline.model.mlp.Mlp`."""

    hidden: tuple[int, ...]
    activation: str
    epochs: int
    min_steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int

    def n_epochs(self, size: int) -> int:
        """Return the number of passes over `size` rows: `epochs`, or as many more as `min_steps` steps take."""
        return max(self.epochs, math.ceil(self.min_steps / math.ceil(size / self.batch_size)))


def train(dataset: Dataset, recipe: Recipe, *, on_epoch: Callable[[int, int], None]) -> Network:
    """Train a network on all rows of a data set, by Adam with a learning rate that falls linearly to 0.

    Every epoch visits every row once, in a random order. The order and the first weights depend on the seed alone, and
    all matrix products run on one core, so the result does not depend on the number of cores.

    Parameters
    ----------
    dataset : Dataset
        The train split.
    recipe : Recipe
        The network's shape and the options of the training.
    on_epoch : callable
        Called after each epoch with the number of finished epochs and of all epochs.

    Returns
    -------
    Network
        The network, of float32 weights, with its learning curve.

    Raises
    ------
    BadInput
        If the loss is no longer finite.
    """
    from threadpoolctl import threadpool_limits

    rng = generator(MODEL, recipe.seed)
    widths = [dataset.inputs.shape[1], *recipe.hidden, dataset.n_classes]
    layers = initial_layers(widths, recipe.activation, rng)
    epochs = recipe.n_epochs(len(dataset))
    steps = epochs * math.ceil(len(dataset) / recipe.batch_size)
    adam = Adam(layers, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay, steps=steps)
    curve: list[tuple[float, float, float]] = []
    # An overflow is detected by the loss and reported by the message below.
    with threadpool_limits(1, user_api="blas"), np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(epochs):
            batch_loss = _one_epoch(dataset, layers, recipe, adam, rng)
            is_finite = all(np.isfinite(array).all() for layer in layers for array in layer)
            loss, accuracy = (
                _loss_and_accuracy(Network(layers, recipe.activation), dataset) if is_finite else (math.nan, math.nan)
            )
            if not (math.isfinite(batch_loss) and math.isfinite(loss)):
                raise BadInput(
                    f"training must keep the loss finite; found {loss} after epoch {epoch + 1} with "
                    f"model.learning_rate={recipe.learning_rate}: choose a smaller one (0.003 is usual)"
                )
            curve.append((batch_loss, loss, accuracy))
            on_epoch(epoch + 1, epochs)
    return Network(layers, recipe.activation, learning_curve=LearningCurve(*np.array(curve, dtype=np.float64).T))


def initial_layers(widths: Sequence[int], activation: str, rng: np.random.Generator) -> list[Layer]:
    """Draw the first weights, N(0, g/n_in), and biases of 0.

    ``g = 2`` for relu [He et al. 2015, Delving deep into rectifiers, eq. 10], else 1 [LeCun et al. 1998, Efficient
    backprop, eq. 16].

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden units of every layer, classes.
    activation : str
        Of the hidden layers.
    rng : Generator
        The source of random numbers.

    Returns
    -------
    list of (W, b)
        float32, of shapes (n_in, n_out) and (n_out,).
    """
    gain = 2.0 if activation == "relu" else 1.0
    layers: list[Layer] = []
    for n_in, n_out in pairwise(widths):
        weights = rng.standard_normal((n_in, n_out)) * math.sqrt(gain / n_in)
        layers.append((weights.astype(np.float32), np.zeros(n_out, dtype=np.float32)))
    return layers


class UpdateRule(Protocol):
    """Changes a network's weights in place by the gradient of each step."""

    def step(self, gradients: list[Layer]) -> None:
        """Change the weights by one step; `gradients`, in the weights' shapes, may be overwritten."""


class GradientDescent:
    """Plain gradient descent, ``W ← W - η ∂L/∂W``.  [Bishop 2006, PRML, eq. 5.43, L of one mini-batch]

    Parameters
    ----------
    layers : list of (W, b)
        Changed in place by every step.
    learning_rate : float
        η, of every step.
    """

    def __init__(self, layers: list[Layer], *, learning_rate: float) -> None:
        self._arrays = [array for layer in layers for array in layer]
        self._learning_rate = learning_rate

    def step(self, gradients: list[Layer]) -> None:
        """Change the weights by one step."""
        flat: list[FloatArray] = [array for layer in gradients for array in layer]
        for array, gradient in zip(self._arrays, flat, strict=True):
            gradient *= self._learning_rate
            array -= gradient


class Adam:
    """Adam with decoupled weight decay and a learning rate that falls linearly to 0.

    [Kingma & Ba 2015, Adam, algorithm 1, with the efficient order of section 2; Loshchilov & Hutter 2019, Decoupled
    weight decay regularization, algorithm 2, with its schedule multiplier linear and the decay a share of the learning
    rate, as in PyTorch's AdamW]

    Parameters
    ----------
    layers : list of (W, b)
        Changed in place by every step; only W decays, not b.
    learning_rate : float
        The learning rate of the first step.
    weight_decay : float
        The share of W that a step subtracts, in units of the learning rate.
    steps : int
        The number of steps until the learning rate is 0.
    """

    _BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, layers: list[Layer], *, learning_rate: float, weight_decay: float, steps: int) -> None:
        self._arrays = [array for layer in layers for array in layer]
        self._means = [np.zeros_like(array) for array in self._arrays]
        self._squares = [np.zeros_like(array) for array in self._arrays]
        self._learning_rate, self._weight_decay, self._steps = learning_rate, weight_decay, steps
        self._done = 0

    def step(self, gradients: list[Layer]) -> None:
        """Change the weights by one step."""
        rate = self._learning_rate * (1 - self._done / self._steps)
        self._done += 1
        length = rate * math.sqrt(1 - self._BETA2**self._done) / (1 - self._BETA1**self._done)
        flat: list[FloatArray] = [array for layer in gradients for array in layer]
        for array, gradient, mean, square in zip(self._arrays, flat, self._means, self._squares, strict=True):
            mean *= self._BETA1
            mean += (1 - self._BETA1) * gradient
            gradient *= gradient
            gradient *= 1 - self._BETA2
            square *= self._BETA2
            square += gradient
            if array.ndim == 2:
                array *= 1 - rate * self._weight_decay
            change = np.sqrt(square)
            change += self._EPSILON
            np.divide(mean, change, out=change)
            change *= length
            array -= change


def take_step(layers: list[Layer], activation: str, dataset: Dataset, rows: IntArray, rule: UpdateRule) -> float:
    """Take one step by the gradient of a batch's mean loss.

    Parameters
    ----------
    layers : list of (W, b)
        The layers that `rule` changes.
    activation : str
        The activation of the hidden layers.
    dataset : Dataset
        The data set of the rows.
    rows : ndarray of int, shape (b,)
        The rows of the batch.
    rule : UpdateRule
        Changes the weights by the gradient.

    Returns
    -------
    float
        The batch's mean loss before the step, nats.
    """
    inputs = np.multiply(dataset.inputs[rows], np.float32(dataset.scale), dtype=np.float32)
    loss, gradients = mean_loss_and_gradients(layers, activation, inputs, dataset.labels[rows])
    rule.step(gradients)
    return loss


def batches_in_passes(size: int, batch_size: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """Yield batches without end, cut from successive random orders of all rows.

    Every row comes up once in each pass. A batch at the end of a pass is filled up from the next pass, so that all
    batches have the same size.

    Parameters
    ----------
    size, batch_size : int
        N and b, with 1 ≤ b ≤ N.
    rng : Generator
        The source of random numbers.

    Yields
    ------
    ndarray of int, shape (b,)
    """
    left = np.empty(0, dtype=np.intp)
    while True:
        order = np.concatenate([left, rng.permutation(size)])
        n_whole = len(order) // batch_size
        yield from order[: n_whole * batch_size].reshape(n_whole, batch_size)
        left = order[n_whole * batch_size :]


def _one_epoch(
    dataset: Dataset, layers: list[Layer], recipe: Recipe, rule: UpdateRule, rng: np.random.Generator
) -> float:
    """Take a step for every batch, and return the mean of the rows' losses, each before the step of its batch."""
    order = rng.permutation(len(dataset))
    total = 0.0
    for start in range(0, len(order), recipe.batch_size):
        rows = order[start : start + recipe.batch_size]
        total += take_step(layers, recipe.activation, dataset, rows, rule) * len(rows)
    return total / len(order)


def _loss_and_accuracy(network: Network, dataset: Dataset) -> tuple[float, float]:
    """The mean loss and the accuracy over all rows."""
    forward = network.from_stored(dataset.scale)
    losses: list[NDArray[np.float64]] = []
    n_correct = 0
    for start in range(0, len(dataset), _BLOCK):
        labels = dataset.labels[start : start + _BLOCK]
        logits = forward(dataset.inputs[start : start + _BLOCK])
        losses.append(cross_entropy(logits, labels))
        n_correct += int(np.count_nonzero(is_correct(logits, labels)))
    return float(np.concatenate(losses).mean()), n_correct / len(dataset)
