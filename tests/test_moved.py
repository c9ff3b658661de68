"""Moving or copying mlruns must not lose an artifact."""

import shutil

from pipeline.package import Log
from pipeline.tracking import Tracking


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


def test_artifacts_that_lie_elsewhere_are_left_alone(tmp_path):
    old, new = tmp_path / "old", tmp_path / "old2"
    store = Tracking(uri=f"sqlite:///{old}/mlflow.db").open()
    elsewhere = (tmp_path / "old-other").as_uri()
    store._client.create_experiment("theirs", artifact_location=elsewhere)
    shutil.copytree(old, new)
    again = Tracking(uri=f"sqlite:///{new}/mlflow.db").open()
    assert again._client.get_experiment_by_name("theirs").artifact_location == elsewhere
    assert again._client.get_experiment_by_name("batchscope").artifact_location == (new / "artifacts").as_uri()
    assert store._client.get_experiment_by_name("batchscope").artifact_location == (old / "artifacts").as_uri()


def test_results_that_wait_for_a_store_find_it_where_the_whole_folder_was_moved_to(tmp_path, monkeypatch):
    places = []
    for folder in ("old", "new"):
        monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / folder))
        places.append(Tracking().place)
        assert Tracking(uri="sqlite:///mlruns/other.db").place != places[-1]
        assert Tracking(experiment="other").place != places[-1]
    assert places[0] == places[1]
