"""Tracking refuses addresses that are no store, before MLflow tries them for minutes."""

import os

import pytest

from pipeline.errors import BadInput
from pipeline.tracking.log import Log
from pipeline.tracking.mlflow import Tracking


@pytest.mark.parametrize(
    "uri",
    ["./mlruns", "mlruns.db", "sqlite://x.db", "sqlite:///:memory:", "file:///tmp/mlruns", "ftp://host/x", ""],
)
def test_an_address_of_another_kind_is_refused(uri):
    with pytest.raises(BadInput, match=r"tracking.uri must be sqlite:///FILE, a database URI or a server's"):
        Tracking(uri=uri)


@pytest.mark.parametrize(
    "uri",
    ["sqlite:///mlruns/x.db", "sqlite:////tmp/x.db", "postgresql://a/b", "mysql+pymysql://a/b", "https://host/path"],
)
def test_every_documented_kind_of_address_is_accepted(uri):
    assert Tracking(uri=uri).uri == uri


def test_a_refused_address_is_shown_without_its_password():
    with pytest.raises(BadInput) as refused:
        Tracking(uri="ftp://me:hush@host/x")
    assert "hush" not in str(refused.value)
    assert "ftp://***@host/x" in str(refused.value)


def test_an_empty_name_of_an_experiment_is_refused():
    with pytest.raises(BadInput, match=r"tracking.experiment must be a name; found an empty one"):
        Tracking(experiment=" ")


@pytest.mark.parametrize("found", ["a folder", "another kind of file"])
def test_what_is_no_sqlite_file_is_refused_at_once(tmp_path, found):
    path = tmp_path / "mlflow.db"
    path.mkdir() if found == "a folder" else path.write_bytes(b"this is a text, and a long one")
    with pytest.raises(BadInput, match=f"must name a SQLite file, or one to be made; found {found}"):
        Tracking(uri=f"sqlite:///{path}").open()


def test_an_experiment_that_was_deleted_is_refused_with_what_to_do(tracking):
    store = Tracking(uri=tracking.uri, experiment="old").open()
    store._client.delete_experiment(store.experiment_id)
    # Opened stores are remembered per process under their address: another spelling of it is opened anew.
    again = Tracking(uri=tracking.uri.replace("/mlruns/", "/./mlruns/"), experiment="old")
    with pytest.raises(BadInput, match="'old' was deleted in MLflow: restore it there or name another"):
        again.open()


def test_a_store_is_created_with_its_experiment_and_its_artifacts_beside_it(tracking, tmp_path):
    store = tracking.open()
    found = store._client.get_experiment(store.experiment_id)
    assert found.name == "batchscope"
    assert found.artifact_location == (tmp_path / "mlruns" / "artifacts").as_uri()
    assert store.place == tracking.place


def test_pickles_are_refused_whatever_the_user_allows():
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


NAMES = ["a b", "100%", "a%20b", "que?x", "ha#sh", "dol$HOME", "cu${oc.env:HOME}", "co:lon", "at@x", "plus+and&", "ü"]


@pytest.mark.parametrize("name", NAMES)
def test_a_store_in_a_folder_of_any_name_holds_runs_and_files_and_nothing_is_written_elsewhere(
    tmp_path, monkeypatch, store_content, name
):
    folder = tmp_path / "in" / name
    folder.mkdir(parents=True)
    (folder / "mlflow.db").write_bytes(store_content)
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(folder))
    store = Tracking().open()
    run_id = store.start("one", kind="cell")
    store.log(run_id, Log(texts={"a.txt": "a"}))
    assert store.files(run_id) == ["a.txt"]
    assert store.folder(run_id) == str(folder / "artifacts" / run_id / "artifacts")
    assert Tracking(uri=f"sqlite:///{folder}/mlflow.db").open().run(run_id).info.run_id == run_id
    assert {path.name for path in folder.iterdir()} == {"mlflow.db", "mlflow.db.lock", "artifacts", "locks"}
    assert [path.name for path in (tmp_path / "in").iterdir()] == [name]
    assert list((tmp_path / "current").iterdir()) == []


def test_sqlalchemys_options_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadInput, match=r"must name a SQLite file and nothing else; found '\?timeout=5' after it"):
        Tracking(uri=f"sqlite:///{tmp_path}/a/mlflow.db?timeout=5")
    assert list(tmp_path.iterdir()) == []
