"""A cell becomes a finished run: alone, in a sweep once, and what goes wrong in it is logged or refused."""

import dataclasses

import pytest

from pipeline.cell.identity import Member, cell_digest, content_of
from pipeline.cell.run import run_alone, run_member
from pipeline.errors import BadInput, Failed
from pipeline.runtime.locks import held_if_free
from pipeline.study.evaluate import Evaluate
from pipeline.tracking import outbox


@pytest.fixture
def experiment(stages_of, tracking, tmp_path, monkeypatch):
    """An evaluation to be logged in a store of the test's own."""
    made = stages_of(batch_size=30, draws=20).experiment
    # The network and the scores are had from the folder that all tests share, once.
    made.prepare().scores()
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    return dataclasses.replace(made, tracking=tracking)


@pytest.fixture
def store(tracking, experiment):
    return tracking.open()


def member_of(experiment, store):
    """The cell's place in a new sweep."""
    digest = cell_digest(experiment, content_of(experiment.prepare()))
    return Member(store.start("sweep", kind="sweep"), ("batch_size",), digest)


class Broken(Evaluate):
    """An evaluation whose estimates cannot be made into a result."""

    def result(self, stages, scored, estimates, seconds):
        raise ArithmeticError("no result of\nhttps://me:hush@example.org/x")


class Refusing(Evaluate):
    """An evaluation that finds the request wrong only when it has the scores."""

    def result(self, stages, scored, estimates, seconds):
        raise BadInput("rows must be fewer")


def test_a_cell_alone_is_logged_as_what_was_returned(experiment, store):
    run_id, result = run_alone(experiment, print)
    logged = store.run(run_id)
    assert logged.info.status == "FINISHED"
    assert logged.info.run_name.startswith("evaluate digits test · mlp · b=30 · 2")
    assert {k: v for k, v in logged.data.metrics.items() if k in result.metrics} == result.metrics
    assert logged.data.tags["kind"] == "cell"
    assert store.has_complete_artifacts(logged)
    assert outbox.waiting() == []


def test_a_cell_of_a_sweep_is_carried_out_once_below_it(experiment, store):
    member = member_of(experiment, store)
    run_member(experiment, member)
    run_member(experiment, member)
    (only,) = store.children(member.parent)
    assert (only.info.status, only.info.run_name) == ("FINISHED", "b=30")
    assert only.data.tags["cell_digest"] == member.digest
    assert "learning_curve.png" not in store.files(only.info.run_id)


def test_the_cells_lock_is_held_while_it_is_evaluated_and_free_afterwards(experiment, store):
    seen = []

    class Looking(Evaluate):
        def drawn(self, stages):
            with held_if_free(member.key) as is_free:
                seen.append(is_free)
            return super().drawn(stages)

    experiment = dataclasses.replace(experiment, study=Looking())
    member = member_of(experiment, store)
    run_member(experiment, member)
    with held_if_free(member.key) as is_free:
        assert (seen, is_free) == ([False], True)


def test_a_cell_that_changed_since_the_sweep_started_is_refused_and_not_logged(experiment, store):
    member = member_of(experiment, store)
    with pytest.raises(BadInput, match=r"^configuration, data, weights and source must stay .*start the sweep again$"):
        run_member(dataclasses.replace(experiment, seed=1), member)
    assert store.children(member.parent) == []


def test_a_failure_is_logged_with_its_traceback_and_without_secrets(experiment, store):
    experiment = dataclasses.replace(experiment, study=Broken())
    member = member_of(experiment, store)
    with pytest.raises(ArithmeticError):
        run_member(experiment, member)
    (failed,) = store.children(member.parent)
    assert failed.info.status == "FAILED"
    assert failed.data.tags["error"].startswith("no result of https://")
    assert "hush" not in failed.data.tags["error"]
    trace = store.read_text(failed.info.run_id, "traceback.txt")
    assert "ArithmeticError" in trace
    assert "hush" not in trace
    assert failed.data.params["batch_size"] == "30"


def test_nothing_is_logged_of_a_request_that_was_wrong(experiment, store):
    experiment = dataclasses.replace(experiment, study=Refusing())
    member = member_of(experiment, store)
    with pytest.raises(BadInput, match="rows must be fewer"):
        run_member(experiment, member)
    assert store.children(member.parent) == []
    assert outbox.waiting() == []


def test_a_result_that_the_store_does_not_take_is_kept_and_brought_by_the_next_start(experiment, store, tmp_path):
    member = member_of(experiment, store)
    # The folder of the artifacts cannot be made where a file stands.
    in_the_way = tmp_path / "mlruns" / "artifacts"
    assert not in_the_way.exists()
    in_the_way.write_text("")
    with pytest.raises(Failed, match=r"^the store did not take the result \(.+\); it is kept in .*undelivered"):
        run_member(experiment, member)
    in_the_way.unlink()
    (waiting,) = outbox.waiting()
    assert waiting.run["status"] == "FINISHED"
    run_alone(dataclasses.replace(experiment, seed=1), print)
    assert outbox.waiting() == []
    brought = store.finished_cell(member.parent, member.digest)
    assert store.has_complete_artifacts(brought)
    assert brought.data.tags["cell_digest"] == member.digest
