"""A job scores a shard in any process as this one does, and refuses rows or a model that are not those meant."""

import dataclasses
import pickle

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.metric.top_k import TopK
from pipeline.model.npz import Npz
from pipeline.runtime import memo
from pipeline.scoring.job import Job
from pipeline.scoring.rows import score
from tests.engine.parts import Made, write_weights


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """This process has memoised nothing."""
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())


@pytest.fixture
def parts(tmp_path):
    """Streamed rows of 3 shards of 200, and a network for them."""
    (tmp_path / "marks").mkdir()
    data = Made(shards=3, rows_each=200, folder=str(tmp_path / "marks"))
    return data, Npz(path=write_weights(tmp_path / "weights.npz"))


def job_of(parts, **changes):
    return Job(parts[0], "test", parts[1], changes.pop("cap", None), **changes)


def test_the_shards_scores_are_those_of_the_population_in_single_precision(parts):
    job = job_of(parts)
    population, _ = job.load()
    whole = score(parts[1].build(parts[0]), population)
    for shard in range(3):
        part, rows = job.score(shard), slice(200 * shard, 200 * (shard + 1))
        assert part.loss.dtype == np.float32
        np.testing.assert_array_equal(part.loss, whole.loss[rows].astype(np.float32))
        np.testing.assert_array_equal(part.correct, whole.correct[rows])


def test_a_difference_is_scored_in_double_precision(parts):
    wide, single = job_of(parts, is_double=True).score(1), job_of(parts).score(1)
    assert wide.loss.dtype == np.float64
    np.testing.assert_array_equal(wide.loss.astype(np.float32), single.loss)


def test_a_copy_for_another_process_scores_the_same(parts):
    job = job_of(parts, cap=1.5)
    copy = pickle.loads(pickle.dumps(job))
    np.testing.assert_array_equal(copy.score(2).loss, job.score(2).loss)
    assert copy.score(2).loss.max() == 1.5
    assert copy.evaluated == job.evaluated


def test_rows_and_model_are_had_once_a_job(parts, monkeypatch):
    calls, rows = [], Made.rows
    monkeypatch.setattr(Made, "rows", lambda data, split: calls.append(split) or rows(data, split))
    job = job_of(parts)
    for shard in (0, 1, 0):
        job.score(shard)
    assert calls == ["test"]
    assert job.load()[1] is job.load()[1]


def test_what_is_evaluated_is_told_by_the_functions_and_the_fields_of_their_metric(parts):
    top = {k: job_of(parts, functions={"top": TopK(k=k).values}).evaluated for k in (1, 2)}
    assert top[1] != top[2]
    assert top[1] == job_of(parts, functions={"top": TopK(k=1).values}).evaluated
    plain = job_of(parts).evaluated
    assert plain == sorted(plain)
    assert [words.split()[0] for words in plain] == ["accuracy", "loss"]


def test_the_rows_and_the_model_that_were_meant_are_taken(parts):
    population, classifier = parts[0].rows("test"), parts[1].build(parts[0])
    meant = job_of(parts, digests=(population.digest, classifier.digest))
    np.testing.assert_array_equal(meant.score(0).loss, job_of(parts).score(0).loss)


@pytest.mark.parametrize(("which", "said"), [(0, "other rows"), (1, "other a model")])
def test_other_rows_or_another_model_under_the_same_names_are_refused(parts, which, said):
    digests = [parts[0].rows("test").digest, parts[1].build(parts[0]).digest]
    digests[which] = "another"
    with pytest.raises(BadInput, match=rf"^every worker must find the rows and the model .*; found {said} on "):
        job_of(parts, digests=tuple(digests)).score(0)


def test_a_damaged_shard_is_refused_and_the_others_are_scored(parts):
    broken = (dataclasses.replace(parts[0], damaged=[1]), parts[1])
    with pytest.raises(BadInput, match=r"^shard 1 must be whole"):
        job_of(broken).score(1)
    assert len(job_of(broken).score(2)) == 200


def test_rows_in_memory_keep_the_precision_that_they_were_scored_in(stages_of):
    stages = stages_of()
    part = stages.job().score(0)
    whole, _ = stages.scores()
    assert part.loss.dtype == whole.loss.dtype
    # BLAS may round a product of fewer rows otherwise, in float32: 1e-5 is beyond that alone.
    np.testing.assert_allclose(part.loss, whole.loss[: len(part)], rtol=1e-5)
    np.testing.assert_array_equal(part.correct, whole.correct[: len(part)])
