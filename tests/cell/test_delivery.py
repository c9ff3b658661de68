"""Packages of finished cells reach a real store once, whatever an earlier start has left behind."""

import time
from pathlib import Path

import pytest

from pipeline.cell import delivery
from pipeline.cell.delivery import deliver, deliver_waiting, finished_cells, is_finished
from pipeline.cell.identity import Member
from pipeline.errors import Failed
from pipeline.runtime.locks import held
from pipeline.tracking import outbox
from pipeline.tracking.log import Log
from pipeline.tracking.mlflow import Tracking


@pytest.fixture
def store(tracking, tmp_path, monkeypatch):
    """A store of the test's own, which nothing was found lost of."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    monkeypatch.setattr(delivery, "_lost", {})
    return tracking.open()


@pytest.fixture
def parent(store):
    """The id of a sweep's run."""
    return store.start("sweep", kind="sweep")


@pytest.fixture
def experiment(stages_of, tracking):
    made = stages_of().experiment
    made.tracking = tracking
    return made


def packed(store, parent, digest="bb", *, status="FINISHED", place=None):
    """A package of a cell that waits for the store."""
    key, now = f"{parent}-{digest}", time.time()
    run = {"place": place or store.place, "name": "b=30", "kind": "cell", "status": status, "started": now}
    log = Log(metrics={"loss/mean": 0.5}, texts={"config.yaml": "seed: 0\n"})
    return outbox.write(key, run | {"key": key, "ended": now, "parent": parent, "cell_digest": digest}, log)


def said():
    lines = []
    return lines, lines.append


def test_what_waits_is_delivered_whole_and_waits_no_more(store, parent):
    packed(store, parent)
    lines, tell = said()
    deliver_waiting(store, tell)
    (run,) = store.children(parent)
    assert (run.info.status, run.data.metrics, lines) == ("FINISHED", {"loss/mean": 0.5}, [])
    assert store.read_text(run.info.run_id, "config.yaml") == "seed: 0\n"
    assert outbox.waiting() == []


def test_what_waits_for_another_store_or_is_being_delivered_is_left_alone(store, parent):
    packed(store, parent, place="another store")
    at_work = packed(store, parent, "cc")
    lines, tell = said()
    with held(at_work.run["key"], "the same cell"):
        deliver_waiting(store, tell)
    assert (store.children(parent), len(outbox.waiting()), lines) == ([], 2, [])


def test_a_package_that_the_store_refuses_stays_is_told_of_and_does_not_stop_the_others(store, parent):
    # MLflow takes no name of a metric with such a character.
    broken = packed(store, parent)
    text = (broken.folder / "run.json").read_text()
    (broken.folder / "run.json").write_text(text.replace("loss/mean", "loss?mean"))
    packed(store, parent, "cc")
    lines, tell = said()
    deliver_waiting(store, tell)
    assert [package.folder for package in outbox.waiting()] == [broken.folder]
    assert len(lines) == 1
    assert lines[0].startswith(f"a result stays in {broken.folder}: the store does not take it (")
    assert {run.data.tags["cell_digest"]: run.info.status for run in store.children(parent)} == {
        "bb": "KILLED",
        "cc": "FINISHED",
    }


def test_a_package_that_arrived_before_its_process_was_stopped_is_not_delivered_again(store, parent):
    package = packed(store, parent)
    tags = {"package": package.folder.name, "cell_digest": "bb"}
    store.end(store.start("b=30", kind="cell", parent=parent, tags=tags), "FINISHED")
    deliver_waiting(store, print)
    assert len(store.children(parent)) == 1
    assert outbox.waiting() == []


def test_a_delivery_that_was_interrupted_is_ended_and_made_again(store, parent):
    package = packed(store, parent)
    left = store.start("b=30", kind="cell", parent=parent, tags={"package": package.folder.name, "cell_digest": "bb"})
    deliver_waiting(store, print)
    assert store.run(left).info.status == "KILLED"
    assert sorted(run.info.status for run in store.children(parent)) == ["FINISHED", "KILLED"]


def test_a_cell_is_finished_that_the_store_or_a_package_holds(store, parent, experiment):
    assert not is_finished(experiment, Member(parent, (), "bb"))
    packed(store, parent)
    assert is_finished(experiment, Member(parent, (), "bb"))
    assert outbox.waiting() == []
    assert is_finished(experiment, Member(parent, (), "bb"))
    assert not is_finished(experiment, Member(parent, (), "cc"))


def test_a_package_of_a_failure_finishes_no_cell(store, parent, experiment):
    packed(store, parent, status="FAILED")
    assert not is_finished(experiment, Member(parent, (), "bb"))
    assert len(outbox.waiting()) == 1


def test_of_an_earlier_start_what_nobody_is_at_is_killed_and_what_lost_a_file_has_failed(store, parent, tmp_path):
    whole, torn = (store.deliver(packed(store, parent, digest)) for digest in ("aa", "bb"))
    for path in (tmp_path / "mlruns").rglob(f"{torn}/artifacts/config.yaml"):
        path.unlink()
    left = store.start("b=1", kind="cell", parent=parent, tags={"cell_digest": "cc"})
    at_work = store.start("b=2", kind="cell", parent=parent, tags={"cell_digest": "dd"})
    with held(f"{parent}-dd", "the same cell"):
        assert [run.info.run_id for run in finished_cells(store, parent)] == [whole]
    statuses = {run.info.run_id: run.info.status for run in store.children(parent)}
    assert statuses == {whole: "FINISHED", torn: "FAILED", left: "KILLED", at_work: "RUNNING"}


def test_a_store_that_cannot_be_opened_keeps_the_package_and_is_not_asked_again_at_once(
    store, parent, experiment, tmp_path
):
    package = packed(store, parent)
    blocked = tmp_path / "file"
    blocked.write_text("no database")
    experiment.tracking = Tracking(uri=f"sqlite:///{blocked}")
    with pytest.raises(Failed, match=r"\(it stopped answering\); it is kept in .*undelivered, and the next start"):
        deliver(package, experiment)
    assert package.folder.is_dir()
    blocked.unlink()
    # It would answer now; the minute in which it is not asked has not passed.
    assert not is_finished(experiment, Member(parent, (), "bb"))
    assert not blocked.exists()
    assert outbox.waiting() == [package]


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_a_finished_cell_whose_file_is_damaged_is_failed_and_said_in_one_line(store, parent, capsys, damage):
    for digest in ("bb", "cc"):
        packed(store, parent, digest)
    deliver_waiting(store, print)
    one, other = store.children(parent)
    assert len(finished_cells(store, parent)) == 2
    path = Path(store.folder(one.info.run_id)) / "config.yaml"
    path.unlink()
    if damage == "flipped":
        path.write_bytes(b"seed: 1\n")
    assert [run.info.run_id for run in finished_cells(store, parent)] == [other.info.run_id]
    assert capsys.readouterr().err == (
        "batchscope: files of a finished cell are missing or damaged: what they belong to is carried out again\n"
    )
    assert store.run(one.info.run_id).info.status == "FAILED"
    assert len(finished_cells(store, parent)) == 1
    assert capsys.readouterr().err == ""
