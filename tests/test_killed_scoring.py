"""Rows that are streamed and scored while the process is killed: the next start ends as if nothing had happened."""

import os
import random
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.test_faults import store_of
from tests.zygote import kill, wait_for_orphans

pytestmark = pytest.mark.slow
# `make faults` makes more.
KILLS = int(os.environ.get("BATCHSCOPE_KILLS", "3"))
ENGINES = {
    "threads": [],
    "local": ["engine=local", "engine.workers=2"],
    "ray": ["engine=ray", "engine.workers=2"],
}
ROWS, SHARD, INPUTS, HIDDEN, CLASSES = 40_960, 512, 64, 1500, 10
SHARDS = ROWS // SHARD
TEMPORARY = re.compile(r"(\..+[.-]|fresh-)[0-9a-f]{32}|tmp[a-z0-9_]{8}")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A request that scores rows in eighty shards, for some seconds."""
    folder, rng = tmp_path_factory.mktemp("rows"), np.random.default_rng(1)
    inputs = pa.FixedSizeListArray.from_arrays(rng.normal(size=ROWS * INPUTS).astype(np.float32), INPUTS)
    table = pa.table({"inputs": inputs, "label": rng.integers(0, CLASSES, ROWS)})
    pq.write_table(table, folder / "rows.parquet", row_group_size=SHARD)
    shapes = {"W1": (INPUTS, HIDDEN), "b1": (HIDDEN,), "W2": (HIDDEN, HIDDEN), "b2": (HIDDEN,)}
    shapes |= {"W3": (HIDDEN, CLASSES), "b3": (CLASSES,)}
    weights = {name: rng.normal(size=shape, scale=0.05).astype(np.float32) for name, shape in shapes.items()}
    np.savez(folder / "weights.npz", **weights)
    data = ["data=table", f"data.path={folder}/rows.parquet", "data.memory=0"]
    return [*data, "model=npz", f"model.path={folder}/weights.npz", "draws=200", "batch_size=100"]


def scores_in(mlruns):
    """The folder of the scores."""
    (folder,) = (path for path in mlruns.glob("cache/scores/*") if path.is_dir())
    return folder


def columns_in(mlruns):
    return {name: (scores_in(mlruns) / name).read_bytes() for name in ("loss", "accuracy", "metrics.json")}


def results_in(mlruns):
    """The draws and the metrics of each finished run; those that tell the time are left out."""
    store = store_of(mlruns)
    runs = store._search("tags.kind = 'cell'")
    assert {run.info.status for run in runs} <= {"FINISHED", "KILLED"}
    finished = [run for run in runs if run.info.status == "FINISHED"]
    by_time = ("seconds", "rows_per_second")
    return [
        (
            store.read_table(run.info.run_id, "draws.parquet"),
            {name: value for name, value in run.data.metrics.items() if not name.startswith(by_time)},
        )
        for run in finished
    ]


@pytest.fixture(scope="module")
def undisturbed(zygote, new_mlruns, asked, tmp_path_factory):
    """What an undisturbed run leaves: the columns of scores, the draws and the metrics."""
    mlruns = new_mlruns()
    status, text = zygote.run(tmp_path_factory.mktemp("said") / "said", *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    ((draws, metrics),) = results_in(mlruns)
    return columns_in(mlruns), draws, metrics


@pytest.mark.fault("a kill (-9) while streamed rows are scored, of one process or of all", times=KILLS, by="engine")
@pytest.mark.parametrize("engine", ENGINES)
def test_kills_while_rows_are_scored_cost_nothing_that_was_flushed_and_leave_the_bytes_of_an_undisturbed_run(
    zygote, new_mlruns, asked, undisturbed, tmp_path, engine
):
    if engine == "ray":
        pytest.importorskip("ray", reason="needs the extra ray")
    rng, seconds, left = random.Random(engine), 3.0, KILLS
    while left:
        mlruns, said = new_mlruns(), tmp_path / f"said-{left}"
        request = [*asked, *ENGINES[engine]]
        # At most five kills a population, so that there are many beginnings and many ends; none once all is scored.
        for _ in range(rng.randint(1, min(5, left))):
            pid = zygote.start(said, *request, BATCHSCOPE_MLRUNS=str(mlruns))
            # Two of three kills come when shards are being written, for which workers need seconds.
            is_awaited, before = rng.random() < 2 / 3, len(done_in(mlruns))
            while is_awaited and len(done_in(mlruns)) == before and not zygote.has_ended(pid, 0.005):
                pass
            is_done = zygote.has_ended(pid, rng.uniform(0, seconds))
            if not is_done:
                kill(pid, whole_tree=rng.random() < 0.5)
                is_done = zygote.wait(pid) == 0  # It ended between the look and the kill.
                left -= not is_done
            check_kept(mlruns, undisturbed[0])
            if is_done or len(done_in(mlruns)) == SHARDS:
                seconds = max(0.5, seconds * 0.8)
                break
        wait_for_orphans(mlruns)
        is_damaged = rng.random() < 0.5 and damage(mlruns, rng)
        status, text = zygote.run(said, *request, BATCHSCOPE_MLRUNS=str(mlruns))
        assert status == 0, text
        assert text.count(f"were damaged (another checksum in 1 of {SHARDS} parts): these are made anew") == is_damaged
        check_as_undisturbed(mlruns, undisturbed)


def done_in(mlruns):
    """The shards that count as done."""
    found = [path for path in mlruns.glob("cache/scores/*/done") if (path.parent / "metrics.json").exists()]
    return np.flatnonzero(np.frombuffer(found[0].read_bytes(), np.uint8)) if found else np.array([], int)


def check_kept(mlruns, columns):
    """What counts as done is what an undisturbed run has."""
    for name, size in (("loss", 4), ("accuracy", 1)):
        for shard in done_in(mlruns):
            place = slice(shard * SHARD * size, (shard + 1) * SHARD * size)
            assert (scores_in(mlruns) / name).read_bytes()[place] == columns[name][place]


def damage(mlruns, rng):
    """Leave half of a shard that counts as done, as a power cut may; return whether there was one."""
    if not (done := done_in(mlruns)).size:
        return False
    start = rng.choice(done.tolist()) * SHARD * 4
    with (scores_in(mlruns) / "loss").open("r+b") as file:
        file.seek(start + SHARD * 2)
        file.write(bytes(SHARD * 2))
    return True


def check_as_undisturbed(mlruns, undisturbed):
    columns, draws, metrics = undisturbed
    assert columns_in(mlruns) == columns
    assert (scores_in(mlruns) / "done").read_bytes() == bytes([1]) * SHARDS
    results = results_in(mlruns)
    assert results
    for own_draws, own_metrics in results:
        pd.testing.assert_frame_equal(own_draws, draws, check_exact=True)
        assert own_metrics == metrics
    wait_for_orphans(mlruns)
    assert [path for path in mlruns.rglob("*") if TEMPORARY.fullmatch(path.name)] == []
    assert list(mlruns.glob("undelivered/*")) == []
    # The zygote's children end without taking their own mark away; those of the killed ones are gone.
    assert len(list(mlruns.glob("locks/writers/*"))) == 1
