"""Every engine finds the same scores to the last byte, goes on past what fails, and says what did."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.scoring.job import Job
from pipeline.scoring.rows import score
from tests.engine.parts import Made, engines, files_of, run


def test_any_engine_with_any_number_of_workers_leaves_the_same_bytes(model, marks, tmp_path, monkeypatch):
    data = Made(folder=marks)
    first, *others = [
        files_of(part, data, model, tmp_path / str(i), monkeypatch) for i, part in enumerate(engines(1, 2, 3))
    ]
    assert others == [first] * 3
    direct = score(model.build(data), data.rows("test"))
    assert np.frombuffer(first["loss"], np.float32).tolist() == direct.loss.astype(np.float32).tolist()


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


@pytest.mark.parametrize("part", engines(2), ids=lambda part: part.name)
def test_what_cannot_be_written_down_ends_the_scoring(part, model, marks):
    def keep(shard, scores):
        raise OSError(28, "No space left on device")

    data = Made(folder=marks)
    data.rows("test")
    with pytest.raises(OSError, match="No space left"):
        part.run(Job(data, "test", model, None), range(6), keep)
