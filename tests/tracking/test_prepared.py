"""The prepared store is that of the installed MLflow, and one of another version is not used."""

import sqlite3

from pipeline.tracking import database, prepared
from pipeline.tracking.schema import look_at


def test_a_new_store_is_whole_and_costs_no_migration(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "migrated_store", None)
    path = tmp_path / "mlflow.db"
    database.prepare(path, "file:///a", migrate=False)
    assert look_at(path).kind == "whole"
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT name, artifact_location FROM experiments").fetchall()
    connection.close()
    assert found == [("Default", "file:///a/0")]


def test_a_script_of_another_version_is_left_to_mlflows_migrations(monkeypatch):
    script = prepared.SCRIPT.read_text(encoding="utf-8")
    assert prepared.content_of(script, "file:///a") is not None
    monkeypatch.setattr(prepared, "newest_revision", lambda: "another")
    assert prepared.content_of(script, "file:///a") is None
    monkeypatch.setattr(database, "migrated_store", lambda artifacts: f"made at {artifacts}".encode())
    assert database.empty_store("file:///a") == b"made at file:///a"
