"""Rows from arrays, DataFrames and files have the same scores, and nothing is written."""

import gc
import tempfile

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import pipeline as bs
from tests.face.given import two_models

LABELS, LOGITS, _ = two_models()
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


@pytest.fixture
def frame():
    return pd.DataFrame({"label": LABELS, "logits": list(LOGITS), "where": np.where(LABELS > 0, "here", "there")})


def test_loss_and_accuracy_are_those_of_scikit_learn():
    rows = bs.scores(LABELS, logits=LOGITS)
    assert rows.values("loss").mean() == pytest.approx(log_loss(LABELS, PROBABILITIES), rel=1e-12)
    assert rows.values("accuracy").mean() == np.mean(LOGITS.argmax(axis=1) == LABELS)


def test_probabilities_and_losses_give_what_logits_give():
    first = bs.scores(LABELS, logits=LOGITS)
    second = bs.scores(LABELS, probabilities=PROBABILITIES)
    third = bs.scores(loss=first.values("loss"), correct=first.values("accuracy"))
    for other in (second, third):
        assert other.values("loss") == pytest.approx(first.values("loss"), rel=1e-12)
        assert other.values("accuracy").tolist() == first.values("accuracy").tolist()


@pytest.mark.parametrize("kind", ["frame", "parquet", "csv", "jsonl", "npz"])
def test_a_table_gives_what_its_arrays_give_and_nothing_is_written(kind, frame, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    path = tmp_path / f"a.{kind}"
    wide = pd.DataFrame(LOGITS).add_prefix("logit_").assign(label=LABELS)
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "csv":
        wide.to_csv(path, index=False)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True, double_precision=15)
    elif kind == "npz":
        np.savez(path, label=LABELS, logits=LOGITS)
    rows = bs.scores(frame if kind == "frame" else path)
    assert rows.values("loss") == pytest.approx(bs.scores(LABELS, logits=LOGITS).values("loss"), rel=1e-9)
    assert not (tmp_path / "mlruns").exists()


def test_the_conversion_of_a_text_file_is_removed_with_the_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "a.csv").write_text("loss,correct\n0.5,true\n0.25,false\n")
    rows = bs.scores(tmp_path / "a.csv")
    assert list(tmp_path.glob("batchscope-*"))
    del rows
    gc.collect()
    assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]


def test_columns_are_named_in_a_table(frame):
    rows = bs.scores(frame.rename(columns={"label": "truth", "logits": "z"}), label="truth", logits="z", by="where")
    assert rows.slices == ("here", "there")
    assert len(rows.slice("there")) == np.count_nonzero(LABELS == 0)
    assert rows.slice("there").values("loss").tolist() == rows.values("loss")[LABELS == 0].tolist()


def test_predicted_labels_of_a_table_give_an_accuracy_and_no_loss(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    rows = bs.scores(pd.DataFrame({"label": ["a", "b", "b"], "prediction": ["a", "a", "b"]}))
    assert rows.values("accuracy").tolist() == [1.0, 0.0, 1.0]
    assert list(rows.metrics) == ["accuracy"]
    assert not (tmp_path / "mlruns").exists()


def test_further_metrics_are_evaluated():
    rows = bs.scores(LABELS, logits=LOGITS, metrics=["loss", "accuracy", "brier", "top_2"])
    brier = ((PROBABILITIES - np.eye(3)[LABELS]) ** 2).sum(axis=1)
    assert rows.values("brier") == pytest.approx(brier)
    assert set(rows.to_frame()) == {"loss", "accuracy", "brier", "top_2"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "must be given logits, probabilities, loss or correct; found none"),
        ({"labels": [0, 1, 2], "logits": LOGITS}, "found 400, and 3 of label: give arrays of the same rows"),
        ({"labels": [0, 1], "logits": [[0.0, np.nan], [1.0, 2.0]]}, "logits must be finite; found nan in row 0"),
        ({"labels": [0, 5], "logits": [[0.0, 1.0], [1.0, 2.0]]}, "label must hold classes 0 … 1 .* found 5 in row 1"),
        ({"labels": ["a", "b"], "logits": [[0.0, 1.0], [1.0, 2.0]]}, r"such as classes=\[cat,dog\]"),
        ({"labels": [0, 1], "logits": "z"}, "must be an array where there is no table; found the text 'z'"),
        ({"labels": [0, 1], "logits": [[0.0, 1.0], [1.0]]}, "must have rows of one length"),
        ({"labels": LABELS, "logits": LOGITS, "metrics": ["f1"]}, "metrics must name such as .* found f1"),
        ({"labels": LABELS, "logits": LOGITS, "by": [1, 2]}, r"by must have a value .* 400 rows; found shape \(2,\)"),
        ({"labels": LABELS, "logits": LOGITS, "weight": np.zeros(400)}, "weight must be above 0"),
        ({"loss": [0.1, -0.1]}, "loss must be 0 nats or more; found -0.1 in row 1"),
        ({"loss": [0.1, 0.2], "metrics": ["brier"]}, "brier needs the model's logits or probabilities"),
        ({"loss": []}, "must have a row at least; found none"),
        ({"labels": "/no/such/file.parquet"}, "must exist; found none"),
    ],
)
def test_bad_rows_are_refused_in_one_line_that_names_the_argument(given, message):
    with pytest.raises(bs.BadInput, match=message) as refused:
        bs.scores(**given)
    assert "\n" not in str(refused.value)
    assert "data." not in str(refused.value)
