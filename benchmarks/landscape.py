"""A landscape of 201 points against as many bare forward passes of the same batch: book network, MNIST."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.measuring import REPEATS, Row, Size, book, composed, median_seconds
from pipeline.model.network import Network
from pipeline.sampling.streams import DRAW, generator
from pipeline.study.direction.walk import scores_along

POINTS, SMALL_POINTS = 201, 5
BATCH = 1_000


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio.

    A bare pass is the network's own: matrix products, biases and sigmoids, from float32 pixels that lie ready, no loss
    and no accuracy. The landscape starts from 8-bit pixels and a direction, and ends with every row's loss and
    correctness. Filter normalisation moves every layer, so nothing is saved for the sake of a direction with zeros.
    """
    points = SMALL_POINTS if size == "small" else POINTS
    with tempfile.TemporaryDirectory() as folder:
        network_and_rows = book(size, Path(folder), split="test")
        experiment = composed(*network_and_rows, "study=landscape", "study/direction=random")
        stages = experiment.prepare()
    dataset, network = stages.rows, stages.classifier
    indices = generator(DRAW, 0, batch_size=BATCH, draw=0).choice(len(dataset), BATCH)
    pixels = np.multiply(dataset.inputs[indices], np.float32(dataset.scale), dtype=np.float32)
    move = experiment.study.direction.of(network, stages)
    alphas = np.linspace(-1, 1, points)[:, None]
    seconds = median_seconds(
        {
            "landscape": lambda: scores_along(network, dataset, [move], alphas, indices),
            "bare": partial(_bare, network, pixels, points),
            "bare on one core": partial(_bare_on_one_core, network, pixels, points),
        },
        repeats=1 if size == "small" else REPEATS,
    )
    # Products this small may be faster without BLAS's own threads: the faster of the two ways counts.
    bare = min(seconds["bare"], seconds["bare on one core"])
    what = f"landscape of {points} points, a batch of {BATCH:,} / {points} bare forward passes of it"
    yield Row(what, seconds["landscape"] / bare, 1.3)


def _bare(network: Network, pixels: np.ndarray, points: int) -> None:
    forward = network.from_stored(1.0)
    for _ in range(points):
        forward(pixels)


def _bare_on_one_core(network: Network, pixels: np.ndarray, points: int) -> None:
    with threadpool_limits(1, user_api="blas"):
        _bare(network, pixels, points)
