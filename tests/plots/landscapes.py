"""Made-up landscapes: a bowl of a loss, and an accuracy that moves in rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.plots import landscape


def frame_of(*, sizes=(10, 100, 1000), points=41, wide=1.0, plane=False, population=True):
    """A bowl of a loss, and an accuracy that moves in rows."""
    side = np.linspace(-1, 1, points)
    alpha, beta = (a.ravel() for a in np.meshgrid(side, side, indexing="ij")) if plane else (side, 0 * side)
    frames = []
    for size in [*sizes, *([5000] if population else [])]:
        loss = 0.2 + wide * (alpha**2 + beta**2) + 1 / size
        accuracy = np.round((0.95 - 0.3 * wide * (alpha**2 + beta**2)) * size) / size
        columns = {"point": np.arange(len(alpha)), "alpha": alpha, "rows": size, "loss": loss, "accuracy": accuracy}
        columns["curve"] = "all" if size == 5000 else f"b{size}"
        half = 0 if size == 5000 else 1 / np.sqrt(size)
        for metric in ("loss", "accuracy"):
            columns |= {f"{metric}_low": columns[metric] - half, f"{metric}_high": columns[metric] + half}
        columns |= {"direction_a": "the weight W1[2,3]", "unit_a": "added to the weight"}
        if plane:
            columns |= {"beta": beta, "direction_b": "a random direction", "unit_b": "share of each unit's own weights"}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def panel(name="", main=100, **changes):
    return landscape.Panel(name, frame_of(**changes), main, "95 % of such batches")
