"""A SQLite file is recognised by its tables, whatever has left it."""

import sqlite3
from contextlib import closing

import pytest

from pipeline.tracking.schema import Found, date_of, look_at, look_at_server, newest_revision
from tests.tracking import stores


def with_tables(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


EXPERIMENTS = "(experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT)"
HALF = [f"CREATE TABLE experiments {EXPERIMENTS}", "CREATE TABLE runs (a TEXT)"]
VERSION = "CREATE TABLE alembic_version (version_num TEXT)"
ROW = "INSERT INTO experiments VALUES (0, 'Default', 'file:///x', 'active')"


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        ([], "nothing"),
        (["CREATE TABLE a (b)", "DROP TABLE a"], "nothing"),
        (["CREATE TABLE customers (a)"], "foreign"),
        (["CREATE TABLE experiments (a, b)", VERSION], "foreign"),
        (HALF, "half-made"),
        ([*HALF, VERSION, "INSERT INTO alembic_version VALUES ('a8c4a736bde6')"], "half-made"),
        ([f"CREATE TABLE _alembic_tmp_experiments {EXPERIMENTS}", VERSION], "half-made"),
        ([*HALF, ROW], "older"),
        ([*HALF, ROW, VERSION, "INSERT INTO alembic_version VALUES ('a8c4a736bde6')"], "older"),
        ([*HALF, ROW, "CREATE TABLE _alembic_tmp_runs (a)"], "half-migrated"),
        ([*HALF, ROW, VERSION, "INSERT INTO alembic_version VALUES ('ffffffffffff')"], "later"),
    ],
)
def test_a_file_is_told_by_its_tables(tmp_path, statements, kind):
    assert look_at(with_tables(tmp_path / "a.db", *statements)).kind == kind


def test_a_store_that_was_just_made_is_whole_and_a_missing_file_nothing(empty_mlruns, tmp_path):
    assert look_at(empty_mlruns / "mlflow.db").kind == "whole"
    assert look_at(tmp_path / "a.db").kind == "nothing"
    assert not (tmp_path / "a.db").exists()


def test_a_store_that_mlflows_migrations_made_up_to_an_older_version_is_older_and_dated(tmp_path):
    revision = stores.write_older(tmp_path / "a.db", stores.OLD)
    found = look_at(tmp_path / "a.db")
    assert (found.kind, found.revision) == ("older", revision)
    assert date_of(revision) == "2020-12-02"
    assert date_of("ffffffffffff") is None
    assert date_of(newest_revision()) > date_of(revision)


def test_a_servers_database_is_told_by_the_version_of_its_tables(tmp_path, empty_mlruns):
    """SQLite stands for the server here; tests/test_server.py asks a real PostgreSQL."""
    revision = stores.write_older(tmp_path / "older.db", stores.OLD)
    assert look_at_server(f"sqlite:///{tmp_path}/older.db") == Found("older", revision)
    assert look_at_server(f"sqlite:///{empty_mlruns}/mlflow.db").kind == "whole"
    assert look_at_server(f"sqlite:///{tmp_path}/new.db").kind == "nothing"
    with stores.changed(tmp_path / "older.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert look_at_server(f"sqlite:///{tmp_path}/older.db").kind == "later"
