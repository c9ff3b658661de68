"""Every engine finds the same scores to the last byte, goes on past what fails, and says what did."""

import os

import numpy as np
import pytest

from pipeline import engine, kept
from pipeline.engine.base import Job
from pipeline.errors import BadInput, Failed
from pipeline.model.npz import Npz
from pipeline.scored import scored
from pipeline.scoring import score
from tests.engine.parts import Made, write_weights


@pytest.fixture
def model(tmp_path):
    return Npz(path=write_weights(tmp_path / "weights.npz"))


@pytest.fixture
def marks(tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    return str(folder)


def engines(*counts):
    return [engine.MEMBERS["threads"](), *(engine.MEMBERS["local"](workers=count) for count in counts)]


def run(part, data, model):
    """Score all shards; return what was kept, and what was said."""
    found, said = {}, None
    population = data.rows("test")
    try:
        part.run(Job(data, "test", model, None, {}), range(len(population.bounds) - 1), found.__setitem__)
    except (BadInput, Failed) as error:
        said = error
    return found, said


def files_of(part, data, model, folder, monkeypatch):
    """The bytes of the score file that an engine leaves."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(folder))
    monkeypatch.setattr(kept, "_KEPT", type(kept._KEPT)())
    population = data.rows("test")
    classifier = model.build(data)
    scored(classifier, population, part, Job(data, "test", model, None, {}), lambda: None)
    (scores,) = (folder / "cache" / "scores").iterdir()
    return {name: (scores / name).read_bytes() for name in ("loss", "accuracy", "done", "metrics.json")}


def test_any_engine_with_any_number_of_workers_leaves_the_same_bytes(model, marks, tmp_path, monkeypatch):
    data = Made(folder=marks)
    first, *others = [
        files_of(part, data, model, tmp_path / str(i), monkeypatch) for i, part in enumerate(engines(1, 2, 3))
    ]
    assert others == [first] * 3
    direct = score(model.build(data), data.rows("test"))
    assert np.frombuffer(first["loss"], np.float32).tolist() == direct.loss.astype(np.float32).tolist()


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


@pytest.mark.parametrize("part", engines(2), ids=lambda part: part.name)
def test_a_damaged_shard_is_named_not_tried_again_and_costs_no_other(part, model, marks):
    data = Made(folder=marks, damaged=[2])
    found, said = run(part, data, model)
    assert sorted(found) == [0, 1, 3, 4, 5]
    assert type(said) is BadInput
    assert str(said) == "shard 2 must be whole; found half of it"
    assert data.begun().count(2) == 1


@pytest.mark.parametrize("part", engines(2), ids=lambda part: part.name)
def test_of_several_damaged_shards_the_first_is_named_and_all_are_counted(part, model, marks):
    _, said = run(part, Made(folder=marks, damaged=[4, 2]), model)
    assert str(said) == "shard 2 must be whole; found half of it (the first of 2 damaged shards of 6)"


@pytest.mark.parametrize("part", engines(2), ids=lambda part: part.name)
def test_a_shard_that_fails_once_is_tried_again(part, model, marks):
    data = Made(folder=marks, fails_once=[3])
    found, said = run(part, data, model)
    assert (sorted(found), said) == ([0, 1, 2, 3, 4, 5], None)
    assert data.begun().count(3) == 2


def test_rows_that_a_worker_cannot_load_are_said_once(model, marks):
    found, said = run(engine.MEMBERS["local"](workers=2), Made(folder=marks, cannot_load=str(os.getpid())), model)
    assert (found, str(said)) == ({}, "the rows must be here; found none")


def test_other_rows_than_those_that_are_meant_are_refused(model, marks):
    data = Made(folder=marks)
    job = Job(data, "test", model, None, {}, digests=("others", model.build(data).digest))
    with pytest.raises(BadInput, match=r"^every worker must find the rows and the model .*; found other rows on"):
        engine.MEMBERS["local"](workers=1).run(job, [0], lambda *_: None)


@pytest.mark.parametrize("part", engines(2), ids=lambda part: part.name)
def test_what_cannot_be_written_down_ends_the_scoring(part, model, marks):
    def keep(shard, scores):
        raise OSError(28, "No space left on device")

    data = Made(folder=marks)
    data.rows("test")
    with pytest.raises(OSError, match="No space left"):
        part.run(Job(data, "test", model, None, {}), range(6), keep)


def test_fewer_workers_than_none_are_refused():
    with pytest.raises(BadInput, match=r"^engine\.workers must be at least 1, or 0 for one a core; found -1"):
        engine.MEMBERS["local"](workers=-1)
