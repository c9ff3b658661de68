"""Simulated sweeps in the columns that `pipeline.cell.comparison` yields."""

from __future__ import annotations

import numpy as np
import pandas as pd

SIZES = (1, 3, 10, 30, 100, 300, 1_000)
MNIST_SIZES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000)


def sweep(sizes=SIZES, *, designs=("with_replacement",), draws=50, population=1_000, infinite=0):
    """Cells and draws of normal-theory intervals around the means of a long-tailed loss and of a share."""
    rng = np.random.default_rng(20)
    correct = rng.random(population) < 0.935
    loss = np.where(correct, rng.lognormal(-3, 1.2, population), 0.7 + rng.gamma(1.6, 1.0, population))
    loss[:infinite] = np.inf
    cells, frames = [], []
    for design in designs:
        group = f"sampling={design}" if len(designs) > 1 else ""
        for size in sizes:
            estimates = _estimates(rng, {"loss": loss, "accuracy": correct * 1.0}, size, draws, design)
            frame = pd.DataFrame({"batch_size": size, "group": group, "draw": np.arange(draws), **estimates})
            frames.append(frame)
            cells.append(
                {
                    "batch_size": np.int64(size),
                    "group": group,
                    "draws": draws,
                    "confidence": 0.95,
                    "population_size": population,
                    **_metrics(frame, "loss", loss, design),
                    **_metrics(frame, "accuracy", correct * 1.0, design),
                    "seconds/batch": 3e-5 + 1.4e-6 * size,
                    "seconds/all": 3e-5 + 1.4e-6 * population,
                    "run_id": "0",
                }
            )
    return pd.DataFrame(cells), pd.concat(frames, ignore_index=True)


def _estimates(rng, values, size, draws, design):
    population = len(values["loss"])
    # Up to 3,000 rows are really drawn; the mean of more is taken as normal, to be quick.
    n = min(size, 3_000)
    if design == "without_replacement" and size == population:
        rows = np.tile(np.arange(population), (draws, 1))
    else:
        rows = rng.integers(population, size=(draws, n))
    columns = {}
    for name, value in values.items():
        mean = value[rows].mean(axis=1)
        with np.errstate(invalid="ignore"):
            half = 1.96 * value[rows].std(axis=1) / np.sqrt(size)
        half = np.where(np.isfinite(half), half, np.inf)
        if size == 1 and name == "loss":
            half = np.full(draws, np.inf)
        finite = np.where(np.isfinite(half), mean, 0.0)
        columns |= {name: mean, f"{name}_low": finite - half, f"{name}_high": finite + half}
    return columns


def _metrics(frame, name, values, design):
    truth = values.mean()
    size, population = frame["batch_size"].iloc[0], len(values)
    with np.errstate(invalid="ignore"):
        variance = values.var() if np.isfinite(truth) else np.nan
        error = frame[name] - truth
    part = (population - size) / (population - 1) if design == "without_replacement" else 1.0
    held = (frame[f"{name}_low"] <= truth + 1e-12) & (truth <= frame[f"{name}_high"] + 1e-12)
    return {
        f"{name}/all": truth,
        f"{name}/mean": frame[name].mean(),
        f"{name}/se": np.sqrt(part * variance / size),
        f"{name}/rmse": np.sqrt(np.mean(error**2)),
        f"{name}/bias": error.mean(),
        f"{name}/half_width": (frame[f"{name}_high"] - frame[f"{name}_low"]).mean() / 2,
        f"{name}/coverage": held.mean(),
    }
