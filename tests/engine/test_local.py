"""The engine of worker processes replaces a worker that dies, and says what could not be scored."""

import os

import numpy as np
import pytest

from pipeline import engine
from pipeline.errors import BadInput, Failed
from pipeline.scoring.job import Job
from pipeline.scoring.rows import score
from tests.engine.parts import Made, files_of, run


def test_rows_in_memory_have_the_same_scores_in_workers_as_here(model, tmp_path, monkeypatch):
    data = Made(is_in_memory=True, shards=3, rows_each=50_001)
    one, two = [
        files_of(engine.MEMBERS["local"](workers=count), data, model, tmp_path / str(count), monkeypatch)
        for count in (1, 2)
    ]
    here = score(model.build(data), data.rows("test"))
    assert one == two
    assert one["loss"] == here.loss.astype(np.float64).tobytes()
    assert one["accuracy"] == here.correct.tobytes()


def test_a_shard_whose_worker_is_killed_is_scored_by_another(model, marks):
    data = Made(folder=marks, kills_once=[0, 4])
    found, said = run(engine.MEMBERS["local"](workers=2), data, model)
    assert (sorted(found), said) == ([0, 1, 2, 3, 4, 5], None)
    assert (data.begun().count(0), data.begun().count(4)) == (2, 2)


def test_a_shard_that_kills_every_worker_is_given_up_after_three_and_costs_no_other(model, marks):
    data = Made(folder=marks, kills=[1])
    found, said = run(engine.MEMBERS["local"](workers=3), data, model)
    assert sorted(found) == [0, 2, 3, 4, 5]
    assert isinstance(said, Failed)
    assert str(said).startswith("1 of 6 shards could not be scored in 3 tries; found WorkerDied: killed by signal 9")
    assert data.begun().count(1) == 3


def test_rows_that_a_worker_cannot_load_are_said_once(model, marks):
    found, said = run(engine.MEMBERS["local"](workers=2), Made(folder=marks, cannot_load=str(os.getpid())), model)
    assert (found, str(said)) == ({}, "the rows must be here; found none")


def test_other_rows_than_those_that_are_meant_are_refused(model, marks):
    data = Made(folder=marks)
    job = Job(data, "test", model, None, digests=("others", model.build(data).digest))
    with pytest.raises(BadInput, match=r"^every worker must find the rows and the model .*; found other rows on"):
        engine.MEMBERS["local"](workers=1).run(job, [0], lambda *_: None)


def test_fewer_workers_than_none_are_refused():
    with pytest.raises(BadInput, match=r"^engine\.workers must be at least 1, or 0 for one a core; found -1"):
        engine.MEMBERS["local"](workers=-1)
