"""A landscape of 201 points against as many bare forward passes of the same batch: book network, MNIST."""

from __future__ import annotations

from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.scoring import DATA, Row, median_seconds
from pipeline.data.mnist import Mnist
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.sampling.base import generator
from pipeline.study.direction.random import Random
from pipeline.study.direction.walk import scores_along

POINTS = 201
BATCH = 1_000


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most.

    A bare pass is the network's own: matrix products, biases and sigmoids, from float32 pixels that lie ready, no loss
    and no accuracy. The landscape starts from 8-bit pixels and a direction, and ends with every row's loss and
    correctness. Filter normalisation moves every layer, so nothing is saved for the sake of a direction with zeros.
    """
    dataset = Mnist(split="test", root=str(DATA / "mnist")).load()
    network = Npz(path=str(DATA / "book_network" / "weights.npz")).build(Mnist())
    indices = generator(0, BATCH, 0).choice(len(dataset), BATCH)
    pixels = np.multiply(dataset.inputs[indices], np.float32(dataset.scale), dtype=np.float32)
    move = Random().of(network, _Seed())  # type: ignore[arg-type]
    alphas = np.linspace(-1, 1, POINTS)[:, None]
    seconds = median_seconds(
        {
            "landscape": lambda: scores_along(network, dataset, [move], alphas, indices),
            "bare": partial(_bare, network, pixels),
            "bare on one core": partial(_bare_on_one_core, network, pixels),
        }
    )
    # Products this small may be faster without BLAS's own threads: the faster of the two ways counts.
    bare = min(seconds["bare"], seconds["bare on one core"])
    what = f"landscape of {POINTS} points, a batch of {BATCH:,} / {POINTS} bare forward passes of it"
    return [(what, seconds["landscape"] / bare, 1.3)]


class _Seed:
    """What a random direction asks of a Setting."""

    seed = 0


def _bare(network: Network, pixels: np.ndarray) -> None:
    forward = network.from_stored(1.0)
    for _ in range(POINTS):
        forward(pixels)


def _bare_on_one_core(network: Network, pixels: np.ndarray) -> None:
    with threadpool_limits(1, user_api="blas"):
        _bare(network, pixels)
