"""The Python face: what importing it takes, against what NumPy and SciPy's `stats` take by themselves."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.stats

import pipeline as bs
from benchmarks.measuring import Row, Size, median_seconds
from benchmarks.processes import Processes

REPEATS = 5
PEER = "import numpy, scipy.stats"
OURS = {
    "import pipeline": "import pipeline",
    "every function of the package imported": "import pipeline as bs; [getattr(bs, name) for name in bs.__all__]",
}
# Rows of the gate in memory.
ROWS = 100_000


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios of the imports, and that of a gate in memory."""
    repeats = 1 if size == "small" else REPEATS
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run = Processes(None if size == "small" else home / "bytecode")
        taken: dict[str, list[float]] = {code: [] for code in (PEER, *OURS.values())}
        # The first round compiles.
        for i in range(repeats + (size != "small")):
            for code, times in taken.items():
                spent = run.run("-c", code, home=home).cpu
                if i or size == "small":
                    times.append(spent)
    peer = statistics.median(taken[PEER])
    for claim, code in OURS.items():
        own = statistics.median(taken[code])
        yield Row(f"{claim}: {own:.2f} s / importing NumPy and SciPy's stats: {peer:.2f} s", own / peer, 1.2)
    yield _gate(2_000 if size == "small" else ROWS, repeats=1 if size == "small" else 21)


def _gate(n: int, *, repeats: int) -> Row:
    rng = np.random.default_rng(0)
    losses = rng.exponential(size=n)
    old, new = bs.scores(loss=losses), bs.scores(loss=losses + rng.normal(0, 0.1, n) ** 2)
    # Once before, for what is imported at the first call.
    bs.gate(old, new, margin={"loss": 0.02})
    works = {
        "gate": lambda: bs.gate(old, new, margin={"loss": 0.02}),
        "t": lambda: scipy.stats.ttest_rel(new.values("loss"), old.values("loss")),
    }
    taken = median_seconds(works, repeats=repeats)
    claim = f"bs.gate of the losses of {n:,} rows in memory / scipy.stats.ttest_rel"
    return Row(claim, taken["gate"] / taken["t"], 3.0)
