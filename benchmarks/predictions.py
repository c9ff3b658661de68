"""Loss and accuracy of predictions in a Parquet file: against reading it, DuckDB, Polars and PyTorch; and peak memory.

``python -m benchmarks predictions large=true`` also measures the memory at 10^8 rows (a temporary file of 4.6 GB).
"""

from __future__ import annotations

import importlib.util
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from benchmarks.scoring import Row, median_seconds
from pipeline.cores import on_all_cores
from pipeline.data.layout import layout_of
from pipeline.data.predicted import Predicted
from pipeline.data.shards.opening import open_table
from pipeline.data.streamed import Streamed
from pipeline.model.given import GivenClassifier
from pipeline.scoring import score

ROWS, CLASSES, REPEATS = 10_000_000, 10, 7
GROUP_ROWS = 1_000_000
COLUMNS = [f"logit_{j}" for j in range(CLASSES)]

# Mean loss in nats, and accuracy.
Answer = tuple[float, float]
Peer = Callable[[Path, str], Answer]


def rows(*, large: bool = False) -> list[Row]:
    """Claim, measured ratio, and what it may be at most; ``nan`` where there is no peer, or no claim."""
    with tempfile.TemporaryDirectory() as folder:
        found = [row for layout in ("wide", "list") for row in _speed(Path(folder), layout)]
    return found + _memory([10**6, 10**7, *([10**8] if large else [])])


def _speed(folder: Path, layout: str) -> list[Row]:
    path = folder / f"{layout}.parquet"
    write(path, ROWS, layout)
    what = f"loss and accuracy of {ROWS:,} rows × {CLASSES} logits, {layout}"
    # DuckDB and Polars have the classes side by side in columns; a list would have to be taken apart first.
    wanted: dict[str, tuple[Peer, float]] = {"torch": (_torch, 1 / 2)}
    if layout == "wide":
        wanted |= {"duckdb": (_duckdb, 1 / 1.5), "polars": (_polars, 1 / 2)}
    peers = {name: peer for name, (peer, _) in wanted.items() if importlib.util.find_spec(name) is not None}
    _refuse_difference({"batchscope": batchscope(path)} | {name: peer(path, layout) for name, peer in peers.items()})
    works: dict[str, Callable[[], object]] = {
        "batchscope": lambda: batchscope(path),
        "table": lambda: pq.read_table(path),
        "blocks": lambda: read_in_blocks(path),
        **{name: _bound(peer, path, layout) for name, peer in peers.items()},
    }
    seconds = median_seconds(works, repeats=REPEATS)
    first = _first_ratio(path, layout)
    path.unlink()
    ours = seconds["batchscope"]
    return [
        (f"{what} / pyarrow's read_table of the same columns, each the first of its process", first, 1.3),
        (f"{what} / the same, with memory left from reading it before", ours / seconds["table"], 1.3),
        (f"{what} / our own reading of them, block by block, and nothing else", ours / seconds["blocks"], math.nan),
        *((f"{what} / {name}", ours / seconds.get(name, math.nan), most) for name, (_, most) in wanted.items()),
    ]


def _first_ratio(path: Path, layout: str) -> float:
    """Ours against `read_table`, each in a process of its own: as a command does it, which reads its file once."""
    small = path.with_name("small.parquet")
    write(small, GROUP_ROWS // 10, layout)
    taken: dict[str, list[float]] = {"batchscope": [], "table": []}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for _ in range(REPEATS):
            for name, found in taken.items():
                found.append(pool.submit(_first_seconds, name, small, path).result())
    return statistics.median(taken["batchscope"]) / statistics.median(taken["table"])


def _first_seconds(name: str, small: Path, path: Path) -> float:
    work: Callable[[Path], object] = batchscope if name == "batchscope" else pq.read_table
    # What is imported or built when first used is no part of it.
    work(small)
    start = time.perf_counter()
    work(path)
    return time.perf_counter() - start


def write(path: Path, n: int, layout: str) -> None:
    """Write made-up logits and labels, some nine in ten right: ``wide`` has a column a class, ``list`` one of lists."""
    rng, writer = np.random.default_rng(0), None
    for start in range(0, n, GROUP_ROWS):
        size = min(GROUP_ROWS, n - start)
        labels = rng.integers(0, CLASSES, size)
        logits = rng.standard_normal((size, CLASSES), dtype=np.float32)
        logits[np.arange(size), labels] += 3
        if layout == "wide":
            columns: dict[str, object] = dict(zip(COLUMNS, np.ascontiguousarray(logits.T), strict=True))
        else:
            offsets = np.arange(0, CLASSES * size + 1, CLASSES, dtype=np.int32)
            columns = {"logits": pa.ListArray.from_arrays(offsets, logits.ravel())}
        table = pa.table({**columns, "label": labels})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def batchscope(path: Path) -> Answer:
    """Open, read, check and judge all rows; scores in memory, and their means."""
    population, classifier = _opened(path)
    scores = score(classifier, population)
    return float(scores.loss.mean()), float(scores.correct.mean())


def read_in_blocks(path: Path) -> None:
    """Read and check all rows on all cores, as they are read to be scored."""
    population, _ = _opened(path)
    on_all_cores(lambda shard: sum(len(block.inputs) for block in population.read(shard)), range(ROWS // GROUP_ROWS))


def _opened(path: Path) -> tuple[Streamed, GivenClassifier]:
    """As `Predictions` opens it, without the digest: a file is hashed once, whatever is asked of it afterwards."""
    source = open_table(str(path))
    layout = layout_of(
        source.columns,
        where=str(path),
        logits=None,
        probabilities=None,
        label="label",
        loss="loss",
        correct="correct",
    )
    population = Streamed(
        name=path.name,
        digest="",
        n_classes=CLASSES,
        scale=1.0,
        width=CLASSES,
        bounds=source.bounds,
        read_shard=Predicted(source, layout).read,
        read_labels=None,
        row_name=source.where,
    )
    return population, GivenClassifier(layout)


def _bound(peer: Peer, path: Path, layout: str) -> Callable[[], Answer]:
    return lambda: peer(path, layout)


def _refuse_difference(answers: dict[str, Answer]) -> None:
    ours = answers["batchscope"]
    for name, answer in answers.items():
        if not np.allclose(answer, ours, rtol=1e-6, atol=0):
            raise ValueError(f"{name} must find what batchscope finds; found {answers}")


def _duckdb(path: Path, _layout: str) -> Answer:
    """One query over the columns of the classes; the means alone, with no row's scores kept."""
    import duckdb

    picked = "CASE label " + " ".join(f"WHEN {j} THEN {name}" for j, name in enumerate(COLUMNS)) + " END"
    total = " + ".join(f"exp({name} - m)" for name in COLUMNS)
    # No two logits of a row are alike here: who has the largest is right.
    loss, accuracy = (
        duckdb.connect()
        .execute(
            f"SELECT avg(ln({total}) + m - x), avg((x = m)::INT) FROM "
            f"(SELECT *, greatest({', '.join(COLUMNS)}) AS m, {picked} AS x FROM read_parquet(?))",
            [str(path)],
        )
        .fetchall()[0]
    )
    return float(loss), float(accuracy)


def _polars(path: Path, _layout: str) -> Answer:
    """The same on the streaming engine."""
    import polars as pl

    own = pl.lit(None, dtype=pl.Float32)
    for j, name in enumerate(COLUMNS):
        own = pl.when(pl.col("label") == j).then(pl.col(name)).otherwise(own)
    total = pl.sum_horizontal([(pl.col(name) - pl.col("m")).exp() for name in COLUMNS])
    found = (
        pl.scan_parquet(path)
        .with_columns(m=pl.max_horizontal(COLUMNS), x=own)
        .select(
            loss=(total.cast(pl.Float64).log() + pl.col("m") - pl.col("x")).mean(),
            accuracy=(pl.col("x") == pl.col("m")).mean(),
        )
        .collect(engine="streaming")
    )
    return float(found["loss"][0]), float(found["accuracy"][0])


def _torch(path: Path, layout: str) -> Answer:
    """The table read by pyarrow, as one tensor without a copy where it is a list; scores in memory, and their means."""
    import torch

    table = pq.read_table(path)
    labels = _tensor(table["label"])
    if layout == "wide":
        logits = torch.stack([_tensor(table[name]) for name in COLUMNS], dim=1)
    else:
        logits = _tensor(table["logits"].combine_chunks().flatten()).reshape(-1, CLASSES)
    with torch.inference_mode():
        loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        correct = logits.argmax(dim=1) == labels
        return float(loss.double().mean()), float(correct.double().mean())


def _tensor(found: pa.Array | pa.ChunkedArray) -> object:
    import warnings

    import torch

    with warnings.catch_warnings():
        # Arrow's arrays are read-only, and are only read here.
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(found.to_numpy())


def _memory(sizes: list[int]) -> list[Row]:
    """Peak resident memory of the whole command, in a process of its own; the scores go to the disk."""
    peaks = {}
    for n in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "wide.parquet")
            write(path, n, "wide")
            peaks[n] = _peak(path, Path(folder, "mlruns"))
    first = sizes[0]
    return [
        *((f"peak memory of the whole command, {n:,} rows / 1 GiB", peaks[n] / (1 << 30), 1.0) for n in sizes),
        *((f"peak memory at {n:,} rows / at {first:,}", peaks[n] / peaks[first], 1.5) for n in sizes[1:]),
    ]


# A child's peak starts at that of the process it was split off from: so a small one stands between it and this one.
_SMALL = (
    "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
)


def _peak(path: Path, home: Path) -> int:
    """Bytes, as the system tells of a process that has ended."""
    command = [sys.executable, "-m", "pipeline", "data=predictions", f"data.path={path}", "data.memory=0"]
    environment = {**os.environ, "BATCHSCOPE_MLRUNS": str(home)}
    done = subprocess.run([sys.executable, "-c", _SMALL, *command], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    # Linux counts in KiB.
    return int(done.stdout) * 1024
