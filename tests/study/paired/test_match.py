"""The same rows under two models, scored when they are asked for, are those of the whole pair."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.records.rows import Dataset
from pipeline.study.gate import Gate
from tests.study.predicted import ROWS, stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()
SOME = np.array([3, 1100, 4, 700, 501])


def gate(path):
    return Gate(against=path, margin={"loss": 0.0, "accuracy": 0.0}, rows="as_needed", loss_range=2.0)


def agree(stages, study):
    whole, some = study.pair(stages), study.match(stages).pair(SOME)
    assert some.names == whole.names
    for name in ("loss", "accuracy"):
        for found, expected in zip(some.columns(name), whole.columns(name), strict=True):
            assert found == pytest.approx(expected[SOME], rel=1e-6)


@pytest.mark.parametrize("memory", [10**9, 1], ids=["in memory", "streamed"])
def test_rows_of_files_of_predictions(stages_of, tmp_path, memory):
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    theirs = write(tmp_path / "b.parquet", label=LABELS, logits=SECOND)
    stages = stages_from(stages_of, ours, fields={"memory": memory})
    assert isinstance(stages.rows, Dataset) == (memory > 1)
    agree(stages, gate(theirs))


def test_rows_that_stand_in_another_order(stages_of, tmp_path):
    ids = np.arange(ROWS)
    other = np.random.default_rng(0).permutation(ROWS)
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST, id=ids)
    theirs = write(tmp_path / "b.parquet", label=LABELS[other], logits=SECOND[other], id=ids[other])
    agree(stages_from(stages_of, ours, fields={"id": "id"}), gate(theirs))


def test_rows_of_two_networks(stages_of):
    stages = stages_of()
    study = Gate(example_margin={"loss": 0.0, "accuracy": 0.0}, rows="as_needed", loss_range=2.0)
    rows = np.array([5, 2, 700])
    whole, some = study.pair(stages), study.match(stages).pair(rows)
    for name in ("loss", "accuracy"):
        for found, expected in zip(some.columns(name), whole.columns(name), strict=True):
            assert found == pytest.approx(expected[rows], rel=1e-9)


def test_other_rows_are_refused_before_any_is_scored(stages_of, tmp_path):
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    theirs = write(tmp_path / "b.parquet", label=LABELS[:-1], logits=SECOND[:-1])
    with pytest.raises(BadInput, match=r"study\.against must hold predictions of the same rows; found 1,200"):
        gate(theirs).match(stages_from(stages_of, ours))


def test_a_row_of_the_other_file_without_a_score_is_named(stages_of, tmp_path):
    bad = SECOND.copy()
    bad[700] = np.nan
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    theirs = write(tmp_path / "b.parquet", label=LABELS, logits=bad)
    stages = stages_from(stages_of, ours, fields={"memory": 1})
    match = gate(theirs).match(stages)
    match.pair(SOME[:2])
    with pytest.raises(BadInput, match=r"study\.against=b\.parquet: "):
        match.pair(SOME)
