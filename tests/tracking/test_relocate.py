"""Moving or copying mlruns must not lose an artifact."""

import shutil

import pytest

from pipeline.tracking.log import Log
from pipeline.tracking.mlflow import Tracking
from pipeline.tracking.relocate import relocate


def test_a_moved_store_shows_every_artifact_at_the_next_start(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new place"
    store = Tracking(uri=f"sqlite:///{old}/mlflow.db").open()
    run_id = store.start("one", kind="cell")
    store.log(run_id, Log(texts={"config.yaml": "seed: 0\n"}))
    store.end(run_id, "FINISHED")
    shutil.copytree(old, new)
    shutil.rmtree(old)
    again = Tracking(uri=f"sqlite:///{new}/mlflow.db").open()
    assert again.folder(run_id).startswith(str(new))
    assert [file.path for file in again._client.list_artifacts(run_id)] == ["config.yaml"]
    other = again.start("two", kind="cell")
    assert again.folder(other).startswith(str(new))


def store_at(folder, experiment="batchscope"):
    """A store in a folder; an empty one is put there first, for MLflow takes two seconds to make one."""
    return Tracking(uri=f"sqlite:///{folder}/mlflow.db", experiment=experiment).open()


@pytest.fixture
def old(tmp_path, store_content):
    """A folder with a new store."""
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(store_content)
    return folder


def logged(store, name="one"):
    run_id = store.start(name, kind="cell")
    store.log(run_id, Log(texts={"config.yaml": "seed: 0\n"}))
    return run_id


def theirs_in(store, experiment_id):
    """A run of another program, with a file."""
    run_id = store._client.create_run(experiment_id).info.run_id
    store._client.log_text(run_id, "theirs", "theirs.txt")
    return run_id


def listed(store, run_id):
    return [file.path for file in store._client.list_artifacts(run_id)]


@pytest.mark.parametrize("slashes", ["file:", "file://"])
def test_the_experiment_of_another_program_keeps_its_address_and_its_runs_their_files(tmp_path, old, slashes):
    store = store_at(old)
    elsewhere = f"{slashes}{tmp_path}/data"
    theirs = store._client.create_experiment("theirs", artifact_location=elsewhere)
    run_id = theirs_in(store, theirs)
    ours = logged(store_at(old, "theirs"))
    old.rename(tmp_path / "new")
    again = store_at(tmp_path / "new", "theirs")
    assert again._client.get_experiment(theirs).artifact_location == elsewhere
    assert listed(again, run_id) == ["theirs.txt"]
    assert listed(again, ours) == ["config.yaml"]


def test_a_run_of_another_program_in_our_experiment_keeps_its_address(tmp_path, old):
    store = store_at(old)
    theirs, ours = theirs_in(store, store.experiment_id), logged(store)
    before = store._client.get_run(theirs).info.artifact_uri
    old.rename(tmp_path / "new")
    again = store_at(tmp_path / "new")
    assert again._client.get_run(theirs).info.artifact_uri == before
    assert listed(again, ours) == ["config.yaml"]


def test_a_database_that_was_moved_without_its_artifacts_still_finds_them(tmp_path, old):
    ours = logged(store_at(old))
    (tmp_path / "new").mkdir()
    (old / "mlflow.db").rename(tmp_path / "new" / "mlflow.db")
    assert listed(store_at(tmp_path / "new"), ours) == ["config.yaml"]


def test_a_run_whose_files_did_not_come_along_is_mended_when_they_do(tmp_path, old):
    store = store_at(old)
    here, late = logged(store), logged(store, "two")
    (old / "artifacts" / late).rename(tmp_path / "late")
    before = store._client.get_run(late).info.artifact_uri
    old.rename(tmp_path / "new")
    again = store_at(tmp_path / "new")
    assert again._client.get_run(late).info.artifact_uri == before
    assert listed(again, here) == ["config.yaml"]
    (tmp_path / "late").rename(tmp_path / "new" / "artifacts" / late)
    assert relocate(tmp_path / "new" / "mlflow.db", "batchscope", (tmp_path / "new" / "artifacts").as_uri())
    assert listed(again, late) == ["config.yaml"]


def test_a_moved_store_without_files_writes_the_next_ones_in_the_new_place(tmp_path, old):
    begun = store_at(old).start("begun", kind="sweep")
    old.rename(tmp_path / "new")
    again = store_at(tmp_path / "new")
    for run_id in (begun, again.start("next", kind="cell")):
        again.log(run_id, Log(texts={"a.txt": "a"}))
        assert again.folder(run_id) == str(tmp_path / "new" / "artifacts" / run_id / "artifacts")
    assert not old.exists()


def test_a_copied_store_has_files_of_its_own_and_leaves_the_first_one_alone(tmp_path, old):
    store = store_at(old)
    ours = logged(store)
    shutil.copytree(old, tmp_path / "new")
    again = store_at(tmp_path / "new")
    assert again.folder(ours) == str(tmp_path / "new" / "artifacts" / ours / "artifacts")
    assert store.folder(ours) == str(old / "artifacts" / ours / "artifacts")
    assert again.folder(logged(again)).startswith(str(tmp_path / "new"))


def test_results_that_wait_for_a_store_find_it_where_the_whole_folder_was_moved_to(tmp_path, monkeypatch):
    places = []
    for folder in ("old", "new"):
        monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / folder))
        places.append(Tracking().place)
        assert Tracking(uri="sqlite:///mlruns/other.db").place != places[-1]
        assert Tracking(experiment="other").place != places[-1]
    assert places[0] == places[1]
