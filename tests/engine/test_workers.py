"""Worker processes score what they are given, die one by one, and send errors that can be read."""

import os
import signal

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from pipeline.engine.retries import Failures
from pipeline.engine.workers import Worker, score_in_workers, sendable
from pipeline.errors import BadInput, Failed
from pipeline.records.scores import Scores
from pipeline.scoring.job import Job
from tests.engine.parts import Made


class Unpicklable(Exception):
    """An error whose pickle cannot be read: it wants two arguments and passes on one."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")


def job_of(model, marks, **fields):
    return Job(Made(folder=marks, rows_each=50, **fields), "test", model, None)


def test_a_worker_answers_for_its_shards_in_order_and_says_how_it_ended(model, marks):
    worker = Worker(job_of(model, marks))
    try:
        assert worker.answers.recv() is None
        worker.give(3)
        worker.give(1)
        assert list(worker.given) == [3, 1]
        first, second = worker.answers.recv(), worker.answers.recv()
        job = job_of(model, marks)
        for found, shard in ((first, 3), (second, 1)):
            np.testing.assert_array_equal(found.loss, job.score(shard).loss)
        os.kill(worker._process.pid, signal.SIGKILL)
        worker._process.join()
    finally:
        how = worker.end()
    assert how == "killed by signal 9, as where memory runs out"


def test_workers_that_die_before_they_have_loaded_end_the_scoring(model, marks):
    job = job_of(model, marks, dies_loading=str(os.getpid()))
    with pytest.raises(Failed, match=r"^the workers must live until rows and model are loaded; found 3 that died"):
        score_in_workers(job, [0, 1], lambda *_: None, workers=1, failures=Failures(2))


def test_an_outcome_that_can_be_pickled_is_sent_as_it_is():
    scores, error = Scores(np.ones(2), None), BadInput("no rows")
    assert sendable(scores) is scores
    assert sendable(error) is error


def test_an_error_that_cannot_be_pickled_is_sent_by_its_words():
    found = sendable(Unpicklable("the store", "went away"))
    assert type(found) is RuntimeError
    assert str(found) == "Unpicklable: the store: went away"


def test_this_process_keeps_its_threads_while_workers_have_one_each(model, marks):
    before = [pool["num_threads"] for pool in threadpool_info()]
    found = {}
    score_in_workers(job_of(model, marks), range(6), found.__setitem__, workers=2, failures=Failures(6))
    assert sorted(found) == list(range(6))
    assert [pool["num_threads"] for pool in threadpool_info()] == before
