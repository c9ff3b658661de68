"""Per-example gradient norms of MNIST's 60,000 training rows against one forward and backward pass over them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.measuring import Row, Size, book, composed, median_seconds
from pipeline.model.gradient import mean_loss_and_gradients
from pipeline.model.gradient_norms import BLOCK, gradient_norms
from pipeline.model.network import Network

REPEATS = 9
GROUPS = 40


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = composed(*book(size, Path(folder)))
        dataset, network = experiment.data.load(), experiment.model.built(experiment.data)
    pixels = np.multiply(dataset.inputs, np.float32(dataset.scale), dtype=np.float32)
    groups = np.array_split(np.random.default_rng(0).permutation(len(dataset)), GROUPS)

    def one_core() -> None:
        with threadpool_limits(1, user_api="blas"):
            _passes(network, pixels, dataset.labels)

    seconds = median_seconds(
        {
            "norms": lambda: gradient_norms(network, dataset, groups),
            "all cores": lambda: _passes(network, pixels, dataset.labels),
            "one core": one_core,
        },
        repeats=1 if size == "small" else REPEATS,
    )
    # BLAS on all cores loses to one core where others keep the machine busy: the faster of the two is the measure.
    pass_seconds = min(seconds["all cores"], seconds["one core"])
    what = f"gradient norms of {len(dataset):,} rows from 8-bit pixels / a forward and backward pass from float32"
    yield Row(what, seconds["norms"] / pass_seconds, 3.0)


def _passes(network: Network, pixels: np.ndarray, labels: np.ndarray) -> None:
    """The mean gradient of each block, in blocks of the same size, in the same dtype, from pixels scaled already."""
    for start in range(0, len(pixels), BLOCK):
        chosen = slice(start, start + BLOCK)
        mean_loss_and_gradients(network.layers, network.activation, pixels[chosen], labels[chosen])
