"""Loss and accuracy of predictions in a Parquet file: against reading it, DuckDB, Polars and PyTorch; and peak memory.

``python -m benchmarks only=predictions size=large`` also measures the memory at 10^8 rows (a temporary file of 4.6 GB).
"""

from __future__ import annotations

import importlib.util
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet as pq

from benchmarks.measuring import Row, Size, median_seconds
from benchmarks.processes import commands, context
from pipeline.data.formats.open_table import open_table
from pipeline.data.layout import layout_of
from pipeline.data.prediction_blocks import PredictionBlocks
from pipeline.data.streamed import Streamed
from pipeline.model.given import GivenClassifier
from pipeline.runtime.cores import on_all_cores
from pipeline.scoring.rows import score

CLASSES = 10
COLUMNS = [f"logit_{j}" for j in range(CLASSES)]

# Mean loss in nats, and accuracy.
Answer = tuple[float, float]
Peer = Callable[[Path, str], Answer]


@dataclass(frozen=True)
class Form:
    """Rows of the file that is timed, in row groups of so many; sizes at which the memory is measured."""

    rows: int
    group_rows: int
    repeats: int
    memory_rows: tuple[int, ...]
    format_rows: int
    has_peers: bool = True


FORMS: dict[Size, Form] = {
    "small": Form(20_000, 10_000, 1, (1_000, 10_000), 1_000, has_peers=False),
    "full": Form(10**7, 10**6, 7, (10**6, 10**7), 2 * 10**6),
    "large": Form(10**7, 10**6, 7, (10**6, 10**7, 10**8), 2 * 10**6),
}


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios of the time, then those of the memory; ``nan`` where a peer is not installed."""
    form = FORMS[size]
    with tempfile.TemporaryDirectory() as folder:
        for layout in ("wide", "list"):
            yield from _speed(Path(folder), layout, form, size)
    yield from _memory(form, size)
    yield from _memory_by_format(form, size)


def _speed(folder: Path, layout: str, form: Form, size: Size) -> Iterator[Row]:
    path = folder / f"{layout}.parquet"
    write(path, form.rows, layout, form.group_rows)
    what = f"loss and accuracy of {form.rows:,} rows × {CLASSES} logits, {layout}"
    # DuckDB and Polars have the classes side by side in columns; a list would have to be taken apart first.
    wanted: dict[str, tuple[Peer, float]] = {"torch": (_torch, 1 / 2)} if form.has_peers else {}
    if form.has_peers and layout == "wide":
        wanted |= {"duckdb": (_duckdb, 1 / 1.5), "polars": (_polars, 0.6)}
    peers = {name: peer for name, (peer, _) in wanted.items() if importlib.util.find_spec(name) is not None}
    _refuse_difference({"batchscope": batchscope(path)} | {name: peer(path, layout) for name, peer in peers.items()})
    n_groups = form.rows // form.group_rows
    works: dict[str, Callable[[], object]] = {
        "batchscope": lambda: batchscope(path),
        "table": lambda: pq.read_table(path),
        "blocks": lambda: read_in_blocks(path, n_groups),
        **{name: _bound(peer, path, layout) for name, peer in peers.items()},
    }
    seconds = median_seconds(works, repeats=form.repeats)
    first = _first_ratio(path, layout, form, size)
    path.unlink()
    ours = seconds["batchscope"]
    yield Row(f"{what} / pyarrow's read_table of the same columns, each the first of its process", first, 1.3)
    yield Row(f"{what} / the same, with memory left from reading it before", ours / seconds["table"], 1.5)
    yield Row(f"{what} / our own reading of them, block by block, and nothing else", ours / seconds["blocks"], math.nan)
    for name, (_, most) in wanted.items():
        yield Row(f"{what} / {name}", ours / seconds.get(name, math.nan), most)


def _first_ratio(path: Path, layout: str, form: Form, size: Size) -> float:
    """Ours against `read_table`, each in a process of its own: as a command does it, which reads its file once."""
    small = path.with_name("small.parquet")
    write(small, form.group_rows // 10, layout, form.group_rows)
    taken: dict[str, list[float]] = {"batchscope": [], "table": []}
    with ProcessPoolExecutor(1, mp_context=context(size), max_tasks_per_child=1) as pool:
        for _ in range(form.repeats):
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


def write(path: Path, n: int, layout: str, group_rows: int, *, seed: int = 0, labels_seed: int | None = None) -> None:
    """Write made-up logits and labels, some nine in ten right: ``wide`` has a column a class, ``list`` one of lists.

    Files with the same `labels_seed` have the same labels.
    """
    rng, writer = np.random.default_rng(seed), None
    of_labels = rng if labels_seed is None else np.random.default_rng((labels_seed, n))
    for start in range(0, n, group_rows):
        size = min(group_rows, n - start)
        labels = of_labels.integers(0, CLASSES, size)
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


def read_in_blocks(path: Path, n_groups: int) -> None:
    """Read and check all rows on all cores, as they are read to be scored."""
    population, _ = _opened(path)
    on_all_cores(lambda shard: sum(len(block.inputs) for block in population.read(shard)), range(n_groups))


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
        read_shard=PredictionBlocks(source, layout).read,
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
    connection = duckdb.connect()
    # It would draw a bar across the rows of the table.
    connection.execute("SET enable_progress_bar = false")
    loss, accuracy = connection.execute(
        f"SELECT avg(ln({total}) + m - x), avg((x = m)::INT) FROM "
        f"(SELECT *, greatest({', '.join(COLUMNS)}) AS m, {picked} AS x FROM read_parquet(?))",
        [str(path)],
    ).fetchall()[0]
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


def _memory(form: Form, size: Size) -> Iterator[Row]:
    """Peak resident memory of the whole command, in a process of its own; the scores go to the disk."""
    run, peaks = commands(size), []
    for n in form.memory_rows:
        with tempfile.TemporaryDirectory() as folder:
            path, home = Path(folder, "wide.parquet"), Path(folder, "mlruns")
            write(path, n, "wide", form.group_rows)
            if size == "small":
                run.prepare(home)
            spent = run.run("-m", "pipeline", "data=predictions", f"data.path={path}", "data.memory=0", home=home)
        peaks.append(spent.peak)
        yield Row(f"peak memory of the whole command, {n:,} rows / 1 GiB", spent.peak / (1 << 30), 1.0)
    for n, peak in list(zip(form.memory_rows, peaks, strict=True))[1:]:
        yield Row(f"peak memory at {n:,} rows / at {form.memory_rows[0]:,}", peak / peaks[0], 1.5)


def _memory_by_format(form: Form, size: Size) -> Iterator[Row]:
    """Peak resident memory of the whole command with the same rows in each format, with the default limits."""
    run = commands(size)
    with tempfile.TemporaryDirectory() as folder:
        parquet, home = Path(folder, "rows.parquet"), Path(folder, "mlruns")
        write(parquet, form.format_rows, "wide", form.group_rows)
        for path in (parquet, _as_csv(parquet), _as_json_lines(parquet)):
            if size == "small":
                run.prepare(home)
            spent = run.run("-m", "pipeline", "data=predictions", f"data.path={path}", home=home)
            claim = f"peak memory of the whole command, {form.format_rows:,} rows in {path.suffix} / 1 GiB"
            yield Row(claim, spent.peak / (1 << 30), 1.0)


def _as_csv(parquet: Path) -> Path:
    path = parquet.with_suffix(".csv")
    csv.write_csv(pq.read_table(parquet), path)
    return path


def _as_json_lines(parquet: Path) -> Path:
    path = parquet.with_suffix(".jsonl")
    with path.open("w", encoding="utf-8") as file:
        for batch in pq.ParquetFile(parquet).iter_batches():
            file.writelines(f"{json.dumps(row)}\n" for row in batch.to_pylist())
    return path
