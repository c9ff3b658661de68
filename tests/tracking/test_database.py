"""A store is whole whenever its process is stopped, and one of another version is not touched unasked."""

import os
import time
from types import SimpleNamespace

import pytest
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from pipeline.errors import BadInput
from pipeline.tracking import database
from pipeline.tracking.mlflow import Tracking
from pipeline.tracking.schema import look_at, newest_revision
from tests.tracking import stores


@pytest.fixture
def made(store_content, monkeypatch):
    """New stores have the content that was made once."""
    monkeypatch.setattr(database, "empty_store", lambda artifacts: store_content)


def prepare(path, *, migrate=False):
    database.prepare(path, (path.parent / "artifacts").as_uri(), migrate=migrate)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".lock")}


def statements_of(path):
    """The lines of each statement that makes a part of the database.

    MLflow's migrations put a table's constraints into the order of a set of strings, which Python shuffles in each
    process: the lines are sorted.
    """
    catalogue = stores.rows_of(path, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2")
    return [(*names, sorted(line.strip(" ,\t") for line in (sql or "").splitlines())) for *names, sql in catalogue]


@pytest.mark.slow
def test_a_new_store_is_the_one_that_mlflow_makes_by_itself(store_content, tmp_path):
    path, own = tmp_path / "a.db", tmp_path / "own.db"
    path.write_bytes(store_content)
    SqlAlchemyStore(f"sqlite:///{own}", "file:///a/artifacts").engine.dispose()
    assert statements_of(path) == statements_of(own)
    tables = stores.rows_of(own, "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'experiments'")
    for (table,) in tables:
        for query in (f"PRAGMA table_info({table})", f"SELECT * FROM {table}"):
            assert stores.rows_of(path, query) == stores.rows_of(own, query)
    experiments = "SELECT experiment_id, name, artifact_location, lifecycle_stage, workspace FROM experiments"
    assert stores.rows_of(path, experiments) == stores.rows_of(own, experiments)
    times = "SELECT creation_time - last_update_time, creation_time > 1e12 FROM experiments"
    assert stores.rows_of(path, times) == stores.rows_of(own, times)


# What an earlier version of this program had MLflow do: make the store where it belongs, migration by migration.
STOPS = {
    "before the second table": "CREATE TABLE runs",
    "in the first change of a table": "INSERT INTO _alembic_tmp_",
    "where a table is gone": "ALTER TABLE _alembic_tmp_experiments RENAME",
    "where the experiments are made anew": "CREATE TABLE _alembic_tmp_experiments",
    "between two migrations": "UPDATE alembic_version SET version_num='a8c4a736bde6'",
}
SLOW = {name: pytest.mark.slow if name in ("between two migrations", "where a table is gone") else () for name in STOPS}


@pytest.mark.parametrize("statement", [pytest.param(STOPS[name], id=name, marks=marks) for name, marks in SLOW.items()])
def test_a_store_that_a_kill_left_half_made_is_kept_under_a_name_and_made_anew(
    tmp_path, made, monkeypatch, capsys, statement
):
    monkeypatch.setattr(database, "_SECONDS_UNTIL_LEFT", 0.01)
    path = tmp_path / "mlflow.db"

    def make_it_there():
        stores.kill_at_statement(statement)
        SqlAlchemyStore(f"sqlite:///{path}", str(tmp_path))

    assert stores.ended(make_it_there) == [-9]
    assert look_at(path).kind == "half-made"
    left = path.read_bytes()
    prepare(path)
    assert look_at(path).kind == "whole"
    assert (tmp_path / "mlflow.db.half-made").stat().st_size >= len(left) > 0
    said = capsys.readouterr().err
    assert f"it is kept as {tmp_path}/mlflow.db.half-made, and a new one is made" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("owner", "name"),
    [(database.files, "write_beside"), (os, "fsync"), (os, "replace"), (database, "_flush_names")],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_a_kill_while_a_store_is_made_leaves_none_or_a_whole_one(tmp_path, made, owner, name):
    path = tmp_path / "mlflow.db"

    def make():
        stores.kill_at_call(owner, name)
        prepare(path)

    assert stores.ended(make) == [-9]
    assert look_at(path).kind in ("nothing", "whole")
    prepare(path)
    assert look_at(path).kind == "whole"
    if name != "_flush_names":
        assert set(files_of(tmp_path)) == {"mlflow.db"}


def test_processes_that_make_the_same_store_at_once_get_one_store(tmp_path, made):
    path = tmp_path / "mlruns" / "mlflow.db"
    # Not from threads: a lock that one of them holds stays locked in what another forks.
    assert stores.ended(*[Tracking(uri=f"sqlite:///{path}").open] * 3) == [0, 0, 0]
    assert stores.rows_of(path, "SELECT name FROM experiments") == [("Default",), ("batchscope",)]
    assert {found.name for found in path.parent.iterdir()} == {"mlflow.db", "mlflow.db.lock"}


def test_a_store_that_another_program_is_just_making_is_waited_for(tmp_path, made, store_content, monkeypatch):
    path, half = tmp_path / "mlflow.db", tmp_path / "half.db"

    def make_it_there():
        stores.kill_at_statement("CREATE TABLE runs")
        SqlAlchemyStore(f"sqlite:///{half}", str(tmp_path))

    stores.ended(make_it_there)
    path.write_bytes(half.read_bytes())
    waits = []

    def go_on(seconds):
        """The other program writes four times while it is waited for, and the last time is done."""
        waits.append(seconds)
        if len(waits) < 4:
            os.utime(path, ns=(len(waits), len(waits)))
        elif len(waits) == 4:
            path.write_bytes(store_content)

    monkeypatch.setattr(database, "time", SimpleNamespace(sleep=go_on, monotonic=time.monotonic))
    prepare(path)
    assert waits == [2.0] * 5
    assert set(files_of(tmp_path)) == {"mlflow.db", "half.db"}
    assert path.read_bytes() == store_content


@pytest.fixture(scope="module")
def older_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("older") / "mlflow.db"
    return path, stores.write_older(path, stores.RECENT)


@pytest.fixture
def older(older_store, tmp_path):
    """A store of an older version with a run, and its version."""
    path = tmp_path / "mlruns" / "mlflow.db"
    path.parent.mkdir()
    path.write_bytes(older_store[0].read_bytes())
    return path, older_store[1]


def test_an_older_store_is_refused_with_its_version_and_not_a_byte_of_it_changes(older):
    path, revision = older
    before = files_of(path.parent)
    with pytest.raises(BadInput, match=rf"found the older schema {revision} of 2026-.*tracking.migrate=true copies"):
        Tracking(uri=f"sqlite:///{path}").open()
    assert files_of(path.parent) == before


def test_an_older_store_is_migrated_on_demand_after_it_was_copied(older, capsys):
    path, revision = older
    before = path.read_bytes()
    store = Tracking(uri=f"sqlite:///{path}", migrate=True).open()
    assert look_at(path).revision == newest_revision()
    kept = path.with_name(f"mlflow.db.schema-{revision}")
    assert kept.read_bytes() == before
    assert f"as it was, it is kept as {kept}" in capsys.readouterr().err
    assert store._client.get_run("theirs").info.artifact_uri == "file:///elsewhere/1/theirs/artifacts"
    assert store._client.get_experiment("1").artifact_location == "file:///elsewhere/1"
    assert set(files_of(path.parent)) == {"mlflow.db", kept.name}


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param(database, "_upgrade", marks=pytest.mark.slow),
        pytest.param(database.files, "place", marks=pytest.mark.slow),
        (os, "fsync"),
        (database, "_flush_names"),
    ],
)
def test_a_kill_while_a_store_is_migrated_leaves_it_as_it_was_or_migrated(older, owner, name):
    path, revision = older

    def migrate():
        stores.kill_at_call(owner, name)
        prepare(path, migrate=True)

    assert stores.ended(migrate) == [-9]
    assert look_at(path).kind == ("whole" if name == "_flush_names" else "older")
    assert stores.rows_of(path, "SELECT run_uuid FROM runs") == [("theirs",)]
    prepare(path, migrate=True)
    assert look_at(path).kind == "whole"
    assert stores.rows_of(path, "SELECT run_uuid FROM runs") == [("theirs",)]
    assert look_at(path.with_name(f"mlflow.db.schema-{revision}")).kind == "older"


def test_a_migration_that_fails_leaves_the_store_as_it_was(older):
    path, _ = older
    with stores.changed(path) as connection:
        connection.execute("DROP TABLE spans")
    before = path.read_bytes()
    with pytest.raises(BadInput, match=r"tracking.uri must be a store that answers"):
        Tracking(uri=f"sqlite:///{path}", migrate=True).open()
    assert files_of(path.parent) == {"mlflow.db": before}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE alembic_version SET version_num = 'ffffffffffff'", "found the schema ffffffffffff of a later one"),
        ("CREATE TABLE _alembic_tmp_runs (a)", "left by a migration that was stopped"),
        ("DROP TABLE experiments", "found another program's tables"),
    ],
)
def test_a_store_that_no_migration_can_help_is_refused_even_where_one_is_asked_for(older, change, said):
    path, _ = older
    with stores.changed(path) as connection:
        connection.execute(change)
    before = files_of(path.parent)
    with pytest.raises(BadInput, match=said):
        Tracking(uri=f"sqlite:///{path}", migrate=True).open()
    assert files_of(path.parent) == before


def test_a_store_in_use_is_not_migrated(older):
    path, _ = older
    with stores.changed(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE runs SET name = 'two'")
        connection.commit()
        with pytest.raises(BadInput, match="must not be in use while it is migrated"):
            prepare(path, migrate=True)
    assert look_at(path).kind == "older"
