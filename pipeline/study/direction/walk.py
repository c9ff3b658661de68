"""The same rows at many points θ + α d + β e, without building a network for each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...accuracy import is_correct
from ...errors import BadInput
from ...loss import cross_entropy
from ...model.network import ACTIVATE, Layer, Network, folded
from ...records.rows import Dataset, FloatArray, IntArray

# Rows that are walked along all points together: what is computed once for them stays in a core's own cache.
BLOCK = 512


class Walk:
    """Logits of a block of rows wherever the parameters are.

    The first layer that a direction changes is linear in α as long as its inputs stay the same, and they do:
    ``h (W + α dW) + b + α db = (h W + b) + α (h dW + db)``. So its products are done once for all points; for the
    first layer of a network of pictures these are most of the work.

    Parameters
    ----------
    network : Network
        At θ.
    stored : ndarray, shape (n, n_inputs)
        The rows' inputs as the data set has them.
    scale : float
        What they are multiplied by.
    directions : sequence of layers
        d, e, … in the shapes of ``network.layers``.
    """

    def __init__(
        self, network: Network, stored: NDArray[Any], scale: float, directions: Sequence[Sequence[Layer]]
    ) -> None:
        # What is folded is linear in the parameters, so the moves are folded as the network is.
        parts = [folded(tuple(layers), network.activation, scale) for layers in (network.layers, *directions)]
        self._activate = ACTIVATE["tanh" if network.activation == "sigmoid" else network.activation]
        own, moves = parts[0], parts[1:]
        n_layers = len(own)
        is_moved = [any(move[i][0].any() or move[i][1].any() for move in moves) for i in range(n_layers)]
        first = is_moved.index(True) if True in is_moved else n_layers - 1
        values = stored.astype(own[0][0].dtype, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in own[:first]:
                values = self._hidden(values, layer)
            product = _product if first < n_layers - 1 else _last_product
            self._sum = product(values, own[first])
            self._terms = [product(values, move[first]) for move in moves]
        self._ends_here = first == n_layers - 1
        self._rest = [(own[i], [move[i] for move in moves] if is_moved[i] else []) for i in range(first + 1, n_layers)]
        self._room = np.empty_like(self._sum)

    def logits(self, steps: Sequence[float]) -> FloatArray:
        """Return the logits at θ + Σ steps_i d_i.

        Parameters
        ----------
        steps : sequence of float
            α, β, … one a direction.

        Returns
        -------
        ndarray of float, shape (n, k)
            Its transpose is contiguous. To be read before the next call, which may write over it; NaN or infinite
            where the numbers got too large.
        """
        values = self._room
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(self._terms[0], steps[0], out=values)
            for term, step in zip(self._terms[1:], steps[1:], strict=True):
                values += np.multiply(term, step, dtype=values.dtype)
            values += self._sum
            if self._ends_here:
                return values.T
            self._activate(values)
            for layer, moves in self._rest[:-1]:
                values = self._hidden(values, _moved(layer, moves, steps))
            return _last_product(values, _moved(*self._rest[-1], steps)).T

    def _hidden(self, values: FloatArray, layer: Layer) -> FloatArray:
        found = _product(values, layer)
        self._activate(found)
        return found


def _product(values: FloatArray, layer: Layer) -> FloatArray:
    found = values @ layer[0]
    found += layer[1]
    return found


def _last_product(values: FloatArray, layer: Layer) -> FloatArray:
    """Return the logits turned round, (k, n), as loss and accuracy read them."""
    found = layer[0].T @ values.T
    found += layer[1][:, None]
    return found


def _moved(layer: Layer, moves: Sequence[Layer], steps: Sequence[float]) -> Layer:
    W, b = layer
    for (dW, db), step in zip(moves, steps, strict=False):
        W, b = W + W.dtype.type(step) * dW, b + b.dtype.type(step) * db
    return W, b


def scores_along(
    network: Network,
    dataset: Dataset,
    moves: Sequence[Sequence[Layer]],
    steps: NDArray[np.float64],
    rows: IntArray | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score the same rows at every point.

    Parameters
    ----------
    network : Network
        At θ.
    dataset : Dataset
        The population.
    moves : sequence of layers
        d, or d and e.
    steps : ndarray of float, shape (points, number of moves)
        α, or α and β.
    rows : ndarray of int, shape (n,), or None
        Which rows; None is all.

    Returns
    -------
    loss : ndarray of float64, shape (points, n)
        Nats.
    correct : ndarray of bool, shape (points, n)

    Raises
    ------
    BadInput
        If the numbers get so large somewhere that a row's logits make no probabilities.
    """
    from threadpoolctl import threadpool_limits

    size = len(dataset) if rows is None else len(rows)
    loss, correct = np.empty((len(steps), size)), np.empty((len(steps), size), dtype=np.bool_)

    def walk_block(start: int) -> None:
        chosen = slice(start, start + BLOCK) if rows is None else rows[start : start + BLOCK]
        labels = dataset.labels[chosen]
        walk = Walk(network, dataset.inputs[chosen], dataset.scale, moves)
        for i, step in enumerate(steps.tolist()):
            logits = walk.logits(step)
            with np.errstate(invalid="ignore"):
                loss[i, start : start + BLOCK] = cross_entropy(logits, labels)
            correct[i, start : start + BLOCK] = is_correct(logits, labels)

    starts = range(0, size, BLOCK)
    # A thread a core over blocks, with BLAS on that core alone: products this small are done before its threads meet.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(min(os.cpu_count() or 1, len(starts))) as pool:
        list(pool.map(walk_block, starts))
    missing = np.isnan(loss).any(axis=1)
    if missing.any():
        at = ", ".join(f"{value:g}" for value in steps[int(missing.argmax())])
        raise BadInput(
            f"the model's logits must be numbers at every point; found none such at α = {at}: "
            "choose study.low and study.high nearer to 0"
        )
    return loss, correct
