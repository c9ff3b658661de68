"""A sweep counts as finished without MLflow only where MLflow's client says so too."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.start import NOT_NEEDED
from pipeline.sweeps.conclusion import STATUS, TABLE
from pipeline.sweeps.finished import find_finished
from pipeline.sweeps.run import _resume_or_start
from pipeline.tracking import outbox
from pipeline.tracking.log import Log


def artifacts_of(sweep, run_id):
    return sweep.mlruns / "artifacts" / run_id / "artifacts"


def test_a_finished_sweep_is_found_with_the_table_and_the_folder_that_the_client_gives(finished):
    request, store = finished.request(), finished.store
    found = find_finished(request)
    assert _resume_or_start(store, request).is_finished
    assert found.table == store.read_text(finished.parent, TABLE)
    assert found.folder == store.folder(finished.parent)


def test_the_same_cells_in_another_order_and_repeated_are_finished_too(finished):
    assert find_finished(finished.request(sizes=(30, 10, 30))) is not None


def fewer_cells(sweep):
    return sweep.request(sizes=(30,))


def more_cells(sweep):
    return sweep.request(sizes=(10, 30, 50))


def forced(sweep):
    return sweep.request("force=true")


def other_seed(sweep):
    return sweep.request("seed=1")


def sweep_running(sweep):
    sweep.store.reopen(sweep.parent)
    return sweep.request()


def cell_running(sweep):
    sweep.store.start("b=50", kind="cell", parent=sweep.parent, tags={"cell_digest": "d"})
    return sweep.request()


def cell_failed(sweep):
    sweep.store.end(sweep.store.children(sweep.parent)[0].info.run_id, "FAILED")
    return sweep.request()


def cell_lost_an_artifact(sweep):
    (artifacts_of(sweep, sweep.store.children(sweep.parent)[0].info.run_id) / "draws.parquet").unlink()
    return sweep.request()


def cell_has_a_flipped_bit(sweep):
    path = artifacts_of(sweep, sweep.store.children(sweep.parent)[0].info.run_id) / "draws.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)
    return sweep.request()


def table_was_cut_off(sweep):
    path = artifacts_of(sweep, sweep.parent) / TABLE
    content = path.read_bytes()
    # The store's files may be hard links to those of a package.
    path.unlink()
    path.write_bytes(content[:-1])
    return sweep.request()


def compared_before_the_last_cell(sweep):
    sweep.store._client.set_tag(sweep.parent, "asked", sweep.request(sizes=(10,)).asked)
    return sweep.request()


UNFINISHED = [
    fewer_cells,
    more_cells,
    forced,
    other_seed,
    sweep_running,
    cell_running,
    cell_failed,
    cell_lost_an_artifact,
    cell_has_a_flipped_bit,
    table_was_cut_off,
    compared_before_the_last_cell,
]


@pytest.mark.parametrize("change", UNFINISHED, ids=lambda change: change.__name__)
def test_a_sweep_with_something_left_to_do_is_not_finished(finished, change):
    assert find_finished(change(finished)) is None


def test_a_sweep_whose_package_waits_for_delivery_is_not_finished(finished, tmp_path, monkeypatch):
    request = finished.request()
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    for place, expected in (("elsewhere", True), (request.first.tracking.place, False)):
        run = {"place": place, "key": "k", "name": "b=10", "kind": "cell", "cell_digest": "d", "parent": None}
        run |= {"status": "FINISHED", "ended": 1.0, "started": 0.0}
        outbox.write("k", run, Log())
        assert (find_finished(request) is not None) is expected


def test_a_copied_store_is_left_to_the_client_until_its_addresses_are_corrected(copied):
    request = copied.request()
    assert find_finished(request) is None
    copied.store.answers()
    assert find_finished(request).folder == str(artifacts_of(copied, copied.parent))


def test_a_database_of_another_version_of_mlflow_is_left_to_the_client(finished):
    with closing(sqlite3.connect(finished.mlruns / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'later'")
    assert find_finished(finished.request()) is None


def test_the_start_of_a_finished_sweep_imports_nothing_that_it_does_not_need(finished, command):
    done = command(
        "--multirun",
        "batch_size=10,30",
        "draws=20",
        f"tracking.uri={finished.uri}",
        PYTHONPROFILEIMPORTTIME="1",
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing was evaluated: all 2 cells are finished already" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert {"hydra", "numpy", "pipeline.sweeps.finished"} <= imported
    heavy = ("mlflow", "sqlalchemy", "alembic", "pandas", "pyarrow", "matplotlib", "sklearn", "requests", "joblib")
    loaded = {name for name in imported if name.split(".")[0] in heavy}
    loaded |= {name for name in imported if name in ("scipy.special", "scipy.stats", "scipy.optimize")}
    assert loaded == set()


def test_the_tag_artifacts_lists_the_table_of_the_sweep(finished):
    listed = json.loads(finished.store.run(finished.parent).data.tags["artifacts"])
    assert {TABLE, "cells.csv"} <= set(listed)


def test_a_sweep_whose_answer_asked_for_an_exit_status_ends_with_it_again(finished):
    assert find_finished(finished.request()).status == 0
    with closing(sqlite3.connect(finished.mlruns / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE tags SET value = '3' WHERE key = ?", (STATUS,))
    assert find_finished(finished.request()).status == 3


# Runs the package as -m does, and lists at its end what was imported.
LISTS = """
import atexit, pathlib, runpy, sys
path = sys.argv.pop(1)
atexit.register(lambda: pathlib.Path(path).write_text(" ".join(sys.modules)))
runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
"""


def test_a_finished_sweep_is_shown_by_a_process_that_imports_no_store_no_pictures_and_no_statistics(finished, tmp_path):
    root, listed = Path(__file__).resolve().parents[2], tmp_path / "imported"
    asked = ["--multirun", "batch_size=10,30", "draws=20", f"tracking.uri={finished.uri}"]
    done = subprocess.run(
        [sys.executable, "-c", LISTS, str(listed), *asked],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert finished.store.read_text(finished.parent, TABLE).splitlines()[0] in done.stdout
    imported = set(listed.read_text().split())
    assert "pipeline.sweeps.finished" in imported
    assert not imported.intersection(NOT_NEEDED)
