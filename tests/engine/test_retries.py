"""A failed shard is tried three times, a damaged one once, and all failures make one error."""

import pytest

from pipeline.engine import retries
from pipeline.engine.retries import MOST_TRIES, Failures, WorkerDied, attempt
from pipeline.errors import BadInput, Failed
from pipeline.scoring.job import Job
from tests.engine.parts import Made


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr(retries, "_PAUSES", (0.0,) * MOST_TRIES)


def job_of(model, marks, **fields):
    return Job(Made(folder=marks, rows_each=50, **fields), "test", model, None)


def test_a_shard_that_fails_once_has_its_scores_from_the_second_attempt(model, marks, no_pauses):
    job = job_of(model, marks, fails_once=[2])
    assert len(attempt(job, 2)) == 50
    assert job.data.begun() == [2, 2]


def test_a_shard_that_always_fails_gives_its_error_after_three_attempts(model, marks, no_pauses, monkeypatch):
    calls = []

    def refuse(self, shard):
        calls.append(shard)
        raise ConnectionResetError(f"attempt {len(calls)}")

    monkeypatch.setattr(Made, "_read", refuse)
    found = attempt(job_of(model, marks), 1)
    assert isinstance(found, ConnectionResetError)
    assert (str(found), calls) == ("attempt 3", [1, 1, 1])


def test_a_damaged_shard_gives_its_error_after_one_attempt(model, marks, no_pauses):
    job = job_of(model, marks, damaged=[0])
    found = attempt(job, 0)
    assert type(found) is BadInput
    assert job.data.begun() == [0]


def test_a_shard_is_given_up_when_its_third_worker_dies_whatever_dies_at_others():
    failures = Failures(5)
    assert [failures.died(shard, "killed") for shard in (1, 1, 2, 1, 2)] == [True, True, True, False, True]
    with pytest.raises(Failed, match=r"^1 of 5 shards could not be scored in 3 tries; found WorkerDied: killed"):
        failures.raise_if_any()


def test_the_last_try_is_the_one_after_two_deaths():
    failures = Failures(2)
    said = []
    for _ in range(MOST_TRIES):
        said.append(failures.is_last_try(0))
        failures.died(0, "killed")
    assert said == [False, False, True]
    assert not failures.is_last_try(1)


def test_without_failures_nothing_is_raised():
    failures = Failures(3)
    failures.died(0, "killed")
    failures.raise_if_any()


def test_damaged_rows_are_reported_before_failures_and_the_lowest_shard_first():
    failures = Failures(9)
    failures.failed(1, WorkerDied("killed"))
    failures.failed(7, BadInput("shard 7 is damaged"))
    failures.failed(3, BadInput("shard 3 is damaged"))
    with pytest.raises(BadInput, match=r"^shard 3 is damaged \(the first of 2 damaged shards of 9\)$"):
        failures.raise_if_any()
