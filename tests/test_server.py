"""A sweep into a real MLflow server over a real PostgreSQL."""

from __future__ import annotations

import multiprocessing
import time
import urllib.parse
from dataclasses import dataclass

import pandas as pd
import pytest
from mlflow.entities import Run

from pipeline.errors import BadInput
from pipeline.tracking.mlflow import Tracking
from tests import server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(server.binaries() is None, reason="needs PostgreSQL's initdb: apt-get install postgresql"),
]
SIZES = (3, 30, 300)
SECRET = "hunter2secret"
PROCESSES, TURNS = 8, 5
CELLS = ["--multirun", "draws=40", f"batch_size={','.join(map(str, SIZES))}"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    pytest.importorskip("psycopg", reason="needs the extra postgresql")
    with server.postgresql() as store, server.mlflow(store, folder) as running:
        yield running


@dataclass
class Swept:
    """All that a sweep left on the server."""

    parent: Run
    cells: list[Run]
    draws: dict[int, pd.DataFrame]
    table: pd.DataFrame
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def swept(served, command):
    # A server behind a login of its own gets user and password in the address; this one ignores them.
    address = served.uri.replace("://", f"://someone:{SECRET}@")
    done = command(*CELLS, f"tracking.uri={address}", "tracking.experiment=swept")
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    store = Tracking(uri=served.uri, experiment="swept").open()
    parent = store.newest_sweep()
    cells = store.children(parent.info.run_id)
    draws = {int(cell.data.params["batch_size"]): store.read_table(cell.info.run_id, "draws.parquet") for cell in cells}
    runs = [parent.info.run_id, cells[0].info.run_id]
    files = {f"{run}/{name}": store.read_file(run, name) for run in runs for name in store.files(run)}
    return Swept(parent, cells, draws, store.read_table(parent.info.run_id, "cells.csv"), files)


def test_a_sweep_is_one_finished_parent_and_one_finished_child_a_cell_on_the_server(swept):
    assert swept.parent.info.status == "FINISHED"
    assert [cell.info.status for cell in swept.cells] == ["FINISHED"] * len(SIZES)
    assert sorted(swept.draws) == list(SIZES)


def test_tables_are_read_back_through_the_server_as_they_were_computed(swept):
    assert sorted(swept.table["batch_size"]) == list(SIZES)
    assert {size: len(table) for size, table in swept.draws.items()} == dict.fromkeys(SIZES, 40)
    by_id = {cell.info.run_id: cell for cell in swept.cells}
    for row in swept.table.to_dict("records"):
        cell = by_id[row["run_id"]]
        shared = set(row) & set(cell.data.metrics)
        assert len(shared) > 5
        assert {key: row[key] for key in shared} == pytest.approx({key: cell.data.metrics[key] for key in shared})


def test_the_password_of_the_address_is_neither_in_parameters_nor_tags_nor_files(swept, served):
    runs = [swept.parent, *swept.cells]
    assert all(SECRET not in f"{run.data.params} {run.data.tags}" for run in runs)
    assert any(name.endswith("config.yaml") for name in swept.files)
    assert [name for name, content in swept.files.items() if SECRET.encode() in content] == []
    assert all(cell.data.params["tracking.uri"] == served.uri.replace("://", "://***@") for cell in swept.cells)


def start_runs(uri, number, together, found):
    """Start and end a run in one fresh experiment after another, each time when every process has come that far."""
    for turn in range(TURNS):
        together.wait()
        try:
            store = Tracking(uri=uri, experiment=f"at once {turn}").open()
            run_id = store.start(f"run {number}", kind="cell", tags={"number": str(number)})
            store.end(run_id, "FINISHED")
            found.put((turn, run_id, ""))
        except Exception as error:
            found.put((turn, "", repr(error)))


@pytest.fixture(scope="module")
def at_once(served):
    """What each process was told, (turn, run, what went wrong), and the runs of each turn's experiment."""
    context = multiprocessing.get_context("forkserver")
    # So that all are ready within seconds.
    context.set_forkserver_preload(["mlflow", "pipeline.tracking.mlflow"])
    together, found = context.Barrier(PROCESSES), context.Queue()
    processes = [
        # So that one which fails keeps nobody waiting at the end.
        context.Process(target=start_runs, args=(served.uri, number, together, found), daemon=True)
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    told = [found.get(timeout=server.PATIENCE) for _ in range(PROCESSES * TURNS)]
    for process in processes:
        process.join()
    stores = [Tracking(uri=served.uri, experiment=f"at once {turn}").open() for turn in range(TURNS)]
    return told, [store._search("tags.kind = 'cell'") for store in stores]


def test_eight_processes_at_once_lose_no_run_in_a_fresh_experiment(at_once):
    told, by_turn = at_once
    assert [why for _, _, why in told if why] == []
    for turn, runs in enumerate(by_turn):
        assert {run.info.run_id for run in runs} == {run_id for when, run_id, _ in told if when == turn}
        assert sorted(int(run.data.tags["number"]) for run in runs) == list(range(PROCESSES))
        assert {run.info.status for run in runs} == {"FINISHED"}


@pytest.fixture(scope="module")
def stopped(served, swept, at_once):
    """The server's address after its end; whatever else it is asked for was asked before."""
    served.stop()
    return served.uri


def test_a_server_that_was_stopped_is_found_before_the_first_cell_in_one_line(stopped, command, tmp_path):
    mlruns = tmp_path / "mlruns"
    done = command(*CELLS, f"tracking.uri={stopped}", mlruns=mlruns)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "tracking.uri must be a store that answers" in done.stderr
    assert urllib.parse.urlparse(stopped).netloc in done.stderr
    assert done.stdout == ""
    assert not list(mlruns.rglob("launch.json"))


def test_a_server_that_was_stopped_is_given_up_within_half_a_minute(stopped):
    began = time.monotonic()
    with pytest.raises(BadInput, match=r"^tracking\.uri must be a store that answers"):
        Tracking(uri=stopped, experiment="nobody answers").open()
    assert time.monotonic() - began < 30


def test_a_database_of_another_version_is_refused_and_not_migrated():
    pytest.importorskip("psycopg", reason="needs the extra postgresql")
    from sqlalchemy import create_engine, text

    with server.postgresql() as uri:
        assert Tracking(uri=uri).open().newest() is None
        engine = create_engine(uri)
        for revision, said in (
            ("a8c4a736bde6", "the older schema a8c4a736bde6 of 2020-12-02"),
            ("f" * 12, "a later one"),
        ):
            with engine.begin() as connection:
                connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
            with pytest.raises(BadInput, match=said):
                Tracking(uri=uri, experiment=revision).open()
            with engine.connect() as connection:
                assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == revision
        engine.dispose()
