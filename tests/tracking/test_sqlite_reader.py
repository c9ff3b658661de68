"""The direct reader of the SQLite file gives what MLflow's client gives, or nothing."""

import sqlite3
from contextlib import closing

import pytest

from pipeline.tracking.log import Log
from pipeline.tracking.mlflow import Tracking
from pipeline.tracking.sqlite_reader import SCHEMA_VERSIONS, read_sweep


@pytest.fixture
def store(tracking):
    """A store with two sweeps of the digest "d", the second with three cells, one of which was deleted."""
    store = tracking.open()
    store.start("old", kind="sweep", started=1.0, tags={"sweep_digest": "d"})
    parent = store.start("new", kind="sweep", started=2.0, tags={"sweep_digest": "d"})
    for i, name in enumerate(("b", "a", "gone")):
        cell = store.start(name, kind="cell", parent=parent, started=3.0 + i, tags={"cell_digest": name})
        store.log(cell, Log(params={"batch_size": "7", "data.name": "ü"}, texts={"a.txt": "x"}, tags={"note": ""}))
        store.end(cell, "FINISHED")
    store.discard(cell)
    store.start("another", kind="sweep", tags={"sweep_digest": "e"})
    return store


def as_record(run):
    return (
        run.info.run_id,
        run.info.status,
        run.info.artifact_uri,
        run.info.start_time,
        dict(run.data.params),
        dict(run.data.tags),
    )


def test_the_newest_sweep_and_its_cells_are_those_that_the_client_finds(store, tracking):
    sweep, cells = read_sweep(tracking.uri, tracking.experiment, "d")
    records = [(r.run_id, r.status, r.artifact_uri, r.start_time, r.params, r.tags) for r in (sweep, *cells)]
    assert records == [as_record(run) for run in (store.sweep("d"), *store.children(sweep.run_id))]
    assert [cell.tags["cell_digest"] for cell in cells] == ["b", "a"]


def test_the_schema_version_is_the_one_of_the_installed_mlflow(empty_mlruns):
    with closing(sqlite3.connect(empty_mlruns / "mlflow.db")) as connection:
        ((version,),) = connection.execute("SELECT version_num FROM alembic_version")
    assert version in SCHEMA_VERSIONS


def test_another_digest_experiment_or_kind_of_store_gives_nothing(store, tracking, tmp_path):
    assert read_sweep(tracking.uri, tracking.experiment, "unknown") is None
    assert read_sweep(tracking.uri, "other", "d") is None
    assert read_sweep("http://127.0.0.1:1", tracking.experiment, "d") is None
    assert read_sweep(f"sqlite:///{tmp_path}/missing.db", tracking.experiment, "d") is None
    (tmp_path / "text.db").write_text("this is no database")
    assert read_sweep(f"sqlite:///{tmp_path}/text.db", tracking.experiment, "d") is None
    assert not (tmp_path / "missing.db").exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = 'of another MLflow'",
        "DELETE FROM alembic_version",
        "UPDATE experiments SET lifecycle_stage = 'deleted'",
        "UPDATE experiments SET artifact_location = 'file:///elsewhere'",
        "ALTER TABLE runs RENAME COLUMN status TO state",
        "DROP TABLE tags",
        "UPDATE runs SET lifecycle_stage = 'deleted'",
    ],
)
def test_a_database_that_is_not_as_expected_gives_nothing(store, tracking, tmp_path, change):
    with closing(sqlite3.connect(tmp_path / "mlruns" / "mlflow.db")) as connection, connection:
        connection.execute(change)
    assert read_sweep(tracking.uri, tracking.experiment, "d") is None


def test_a_database_that_another_process_holds_gives_nothing(store, tracking, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.tracking.sqlite_reader._SECONDS_FOR_A_LOCK", 0.1)
    with closing(sqlite3.connect(tmp_path / "mlruns" / "mlflow.db")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert read_sweep(tracking.uri, tracking.experiment, "d") is None
    assert read_sweep(tracking.uri, tracking.experiment, "d") is not None


def test_reading_changes_nothing_in_the_folder(store, tracking, tmp_path):
    def state():
        return {path: path.read_bytes() for path in (tmp_path / "mlruns").rglob("*") if path.is_file()}

    before = state()
    assert read_sweep(tracking.uri, tracking.experiment, "d") is not None
    assert state() == before


def test_a_path_with_characters_that_mean_something_in_an_address_is_read(tmp_path, empty_mlruns):
    folder = tmp_path / "100% a?b#c"
    tracking = Tracking(uri=f"sqlite:///{folder}/mlflow.db")
    assert read_sweep(tracking.uri, tracking.experiment, "d") is None
    folder.mkdir()
    (folder / "mlflow.db").write_bytes((empty_mlruns / "mlflow.db").read_bytes())
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", ((folder / "artifacts").as_uri(),))
        connection.execute(
            "INSERT INTO runs (run_uuid, status, lifecycle_stage, artifact_uri, experiment_id, start_time) "
            "SELECT 'id', 'FINISHED', 'active', 'file:///x', experiment_id, 5 "
            "FROM experiments WHERE name = 'batchscope'"
        )
        connection.execute("INSERT INTO tags (key, value, run_uuid) VALUES ('sweep_digest', 'd', 'id')")
    sweep, cells = read_sweep(tracking.uri, tracking.experiment, "d")
    assert (sweep.run_id, sweep.status, sweep.start_time, cells) == ("id", "FINISHED", 5, [])
