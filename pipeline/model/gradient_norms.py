"""The squared norm of every example's gradient, without computing the gradients one by one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.rows import Dataset, FloatArray, IntArray
from .gradient import backward, check_differentiable, delta_of_logits, forward
from .network import Layer, Network

# Rows in a block: their pixels as float32 stay in a core's own cache.
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class GradientNorms:
    """The statistics of n rows' gradients that the gradient noise is computed from.

    Attributes
    ----------
    squared : ndarray of float64, shape (n, layers)
        ``‖g_i‖²``, by layer (weights and bias together); a row's sum is over all weights and biases.
    mean : list of (dW, db), float64
        ``G``, the gradient of the mean loss over the n rows.
    products : ndarray of float64, shape (layers, groups, groups)
        ``S_a · S_b`` by layer, where ``S_a`` is the sum of the gradients of the rows in group a.
    groups : tuple of ndarray of int
        The rows of each group; every row is in one.
    """

    squared: NDArray[np.float64]
    mean: list[Layer]
    products: NDArray[np.float64]
    groups: tuple[IntArray, ...]


def gradient_norms(
    network: Network, dataset: Dataset, groups: Sequence[IntArray], *, block: int = BLOCK
) -> GradientNorms:
    """Return the squared gradient norm of every row, and the inner products of the groups' summed gradients.

    ``‖h δᵀ‖² = ‖h‖² ‖δ‖²`` for a row's input h to a layer and its δ there, and ``‖δ‖²`` for the bias
    [Goodfellow 2015, Efficient per-example gradient computations, section 4]; a row's δ is that of the mean loss
    without the division by n. The passes are in the network's dtype. The δ of the logits is computed in float64,
    because in float32 ``softmax - 1`` loses all its digits in a row of high confidence. Squares and sums are in float64
    too, because the mean gradient of a trained network is hundreds of times shorter than the rows' own.

    Parameters
    ----------
    network : Network
        A network whose activation is differentiable.
    dataset : Dataset
        The n rows, as stored.
    groups : sequence of ndarray of int
        A partition of the row numbers; a sum of gradients is held in memory for each group.
    block : int
        Rows in a block; the figures do not depend on it.

    Raises
    ------
    BadInput
        If the activation has no useful gradient, or a row's gradient is not finite.
    """
    from threadpoolctl import threadpool_limits

    check_differentiable(network.activation)
    squared = np.empty((len(dataset), len(network.layers)))

    def work(rows: IntArray) -> FloatArray:
        sums = np.zeros(sum(weights.size + bias.size for weights, bias in network.layers))
        for chosen in np.array_split(rows, -(-len(rows) // block)):
            squared[chosen] = _block(network, dataset, chosen, sums)
        # Float32 is precise enough for a finished sum, and the groups' sums take most of the memory.
        return sums.astype(network.layers[0][0].dtype)

    # One thread for each group, and BLAS limited to one core, because NumPy's element-wise work runs on one core.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        sums = list(pool.map(work, groups))
    _refuse_not_finite(squared)
    total = np.zeros(len(sums[0]))
    for each in sums:
        total += each
    products = np.stack([_products([each[own] for each in sums]) for own in _layers_of(network)])
    return GradientNorms(squared, _unflattened(total / len(dataset), network), products, tuple(groups))


def _block(network: Network, dataset: Dataset, rows: IntArray, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared norms of some rows by layer, and add their gradients to `sums`, one flat array."""
    dtype = network.layers[0][0].dtype
    inputs = np.multiply(dataset.inputs[rows], dtype.type(dataset.scale), dtype=dtype)
    squared = np.empty((len(rows), len(network.layers)))
    # Large numbers may overflow to gradients that are not finite; `_refuse_not_finite` reports them.
    with np.errstate(over="ignore", invalid="ignore"):
        outputs, logits = forward(network.layers, network.activation, inputs)
        delta = delta_of_logits(logits.astype(np.float64), dataset.labels[rows]).astype(dtype)
        end = len(sums)
        for i, (below, deltas) in enumerate(backward(network.layers, network.activation, outputs, delta)):
            squared[:, -1 - i] = (_squared_lengths(below) + 1) * _squared_lengths(deltas)
            for part in (deltas.sum(axis=0), (below.T @ deltas).ravel()):
                sums[end - len(part) : end] += part
                end -= len(part)
    return squared


def _squared_lengths(rows: FloatArray) -> NDArray[np.float64]:
    return np.einsum("ij,ij->i", rows, rows).astype(np.float64)


def _layers_of(network: Network) -> list[slice]:
    """The positions of each layer's weights, followed by its bias, in a flat array of all weights."""
    ends = np.cumsum([weights.size + bias.size for weights, bias in network.layers]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _unflattened(values: NDArray[np.float64], network: Network) -> list[Layer]:
    return [
        (values[own][: weights.size].reshape(weights.shape), values[own][weights.size :])
        for own, (weights, _) in zip(_layers_of(network), network.layers, strict=True)
    ]


def _products(sums: Sequence[FloatArray]) -> NDArray[np.float64]:
    stacked = np.stack(sums).astype(np.float64)
    return np.asarray(stacked @ stacked.T)


def _refuse_not_finite(squared: NDArray[np.float64]) -> None:
    bad: NDArray[np.bool_] = ~np.isfinite(squared.sum(axis=1))
    if bad.any():
        raise BadInput(
            f"every row's gradient must be finite; found {np.count_nonzero(bad):,} of {len(bad):,} that are not, "
            f"first in row {int(bad.argmax())}: check the model's weights"
        )
