"""A table in memory is written once under its content, with columns that data=predictions finds."""

import numpy as np
import pandas as pd

import pipeline as bs
from pipeline.scoring.held_table import HeldTable
from pipeline.scoring.table import Table

RNG = np.random.default_rng(0)
LABELS, LOGITS = RNG.integers(0, 3, 20), RNG.normal(size=(20, 3))


def held(labels, given, *, label="label", **further):
    return Table.of(labels, given, "").held(label=label, classes=None, **further)


def test_arrays_come_back_to_the_last_bit_with_their_further_columns(tmp_path):
    table = held(LABELS, {"logits": LOGITS}, group=LABELS % 2, by=np.array(["é", "b"])[LABELS % 2], weight=None)
    path = table.write(tmp_path / "new")
    again = bs.scores(path, group="group", by="by")
    assert again.values("loss").tolist() == bs.scores(LABELS, logits=LOGITS).values("loss").tolist()
    assert again.slices == ("b", "é")
    assert again.units.size == 2


def test_columns_that_are_called_otherwise_get_the_usual_names(tmp_path):
    frame = pd.DataFrame(LOGITS, columns=["z_0", "z_1", "z_2"]).assign(truth=LABELS, other=0)
    assert list(held(frame, {"logits": "z"}, label="truth").columns) == ["logit_0", "logit_1", "logit_2", "label"]
    listed = pd.DataFrame({"label": LABELS, "p": list(np.abs(LOGITS) / np.abs(LOGITS).sum(axis=1, keepdims=True))})
    assert list(held(listed, {"probabilities": "p"}).columns) == ["probabilities", "label"]
    scored = pd.DataFrame({"nll": [0.5, 0.25], "ok": [True, False]})
    table = held(scored, {"loss": "nll", "correct": "ok"})
    assert bs.scores(table.write(tmp_path)).values("accuracy").tolist() == [1.0, 0.0]


def test_equal_content_is_one_file_and_other_content_another(tmp_path):
    one, other = ({"loss": np.array([0.5, value])} for value in (0.25, 0.75))
    paths = {HeldTable("a/b: c", own).write(tmp_path) for own in (one, one, other)}
    assert len(paths) == len(list(tmp_path.iterdir())) == 2
    assert {path.rpartition("/")[2] for path in paths} == {"a_b_ c"}


def test_a_file_is_there_already(tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame({"loss": [0.5, 0.25]}).to_csv(path, index=False)
    assert held(path, {}) is None
