"""Addresses of stores do not depend on the working directory."""

import pytest

from pipeline.tracking.address import artifacts_beside, resolve


def test_a_relative_mlruns_is_the_projects_own_folder_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    assert resolve("sqlite:///mlruns/a/x.db") == f"sqlite:///{tmp_path}/own/a/x.db"


def test_another_relative_path_starts_at_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve("sqlite:///x.db") == f"sqlite:///{tmp_path}/x.db"


@pytest.mark.parametrize("uri", ["sqlite:////tmp/x.db", "http://host:5000", "postgresql://me@host/runs"])
def test_an_absolute_address_stays_as_it_is(uri):
    assert resolve(uri) == uri


def test_artifacts_lie_beside_a_sqlite_file_in_mlruns_for_a_database_and_where_a_server_decides(own_mlruns):
    assert artifacts_beside("sqlite:////a b/x.db") == "file:///a%20b/artifacts"
    assert artifacts_beside("postgresql://me@host/runs") == (own_mlruns / "artifacts").as_uri()
    assert artifacts_beside("https://host") is None
