"""What the benches share: a row of the table, the size of a bench, the timing, and the network and rows they score."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from hydra import compose, initialize_config_dir

from pipeline import config
from pipeline.experiment import Experiment

# small: seconds, no peers, no files beside the checkout. large: also what takes minutes and gigabytes.
Size = Literal["small", "full", "large"]
REPEATS = 21
# BLAS and OpenMP threads spin on for a tenth of a second after their last work: each contestant finds idle cores.
PAUSE = 0.3
DATA = Path(os.environ.get("BATCHSCOPE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
# The shape of the book's network, and the rows of the small form.
UNITS, SMALL_ROWS = (784, 50, 100, 10), 2_000


class Row(NamedTuple):
    """What was measured.

    Attributes
    ----------
    claim : str
        What is measured, and against what.
    measured : float
        The ratio; ``nan`` where the peer is not installed.
    at_most : float
        The target; ``nan`` where there is none.
    """

    claim: str
    measured: float
    at_most: float


def median_seconds(works: dict[str, Callable[[], object]], *, repeats: int = REPEATS) -> dict[str, float]:
    """Time the works in turn, again and again, so that what disturbs the machine disturbs all of them."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            # One repeat shows that the work runs; its figure is not judged.
            time.sleep(PAUSE if repeats > 1 else 0)
            start = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def composed(*overrides: str) -> Experiment:
    """Compose an experiment as the command line does, so that a new field of it has its default here too."""
    config.register()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        return config.to_experiment(compose("config", overrides=list(overrides)))


def book(size: Size, folder: Path, *, split: str = "train") -> list[str]:
    """Return the overrides for MNIST and the book's network; in the small form for made-up ones of the same shape.

    Parameters
    ----------
    size : Size
    folder : Path
        Where made-up files are written.
    split : str
        Of MNIST; the made-up rows have one split.
    """
    if size != "small":
        return [
            *("data=mnist", f"data.split={split}", f"data.root={DATA / 'mnist'}"),
            *("model=npz", f"model.path={DATA / 'book_network' / 'weights.npz'}"),
        ]
    rng = np.random.default_rng(0)
    rows, weights = folder / "rows.npz", folder / "weights.npz"
    pixels = rng.integers(0, 256, (SMALL_ROWS, UNITS[0]), np.uint8)
    np.savez(rows, x=pixels, t=rng.integers(0, UNITS[-1], SMALL_ROWS))
    save_network(weights, UNITS)
    return ["data=npz", f"data.path={rows}", "model=npz", f"model.path={weights}"]


def save_network(path: Path, units: tuple[int, ...]) -> None:
    """Write the weights of a random network in the layout of ``model=npz``."""
    rng = np.random.default_rng(0)
    arrays = {}
    for i in range(1, len(units)):
        arrays[f"W{i}"] = rng.normal(0, units[i - 1] ** -0.5, (units[i - 1], units[i])).astype(np.float32)
        arrays[f"b{i}"] = np.zeros(units[i], np.float32)
    np.savez(path, **arrays)
