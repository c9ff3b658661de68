"""The metrics of all rows together in make evaluate, and rows for which they have no value."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from pipeline.study.all_rows import AllRows
from tests.study.predicted import stages_from, two_models, write

FIRST, _, LABELS = two_models()
PROBABILITIES = np.exp(FIRST) / np.exp(FIRST).sum(axis=1, keepdims=True)


def answered(stages_of, path, **fields):
    return AllRows().answer(stages_from(stages_of, path, **fields))


def test_they_are_scikit_learns_and_stand_in_a_table(stages_of, tmp_path):
    result = answered(stages_of, write(tmp_path / "a.parquet", label=LABELS, logits=FIRST))
    found, predicted = result.metrics, FIRST.argmax(axis=1)
    assert found["balanced_accuracy/value"] == pytest.approx(balanced_accuracy_score(LABELS, predicted))
    assert found["macro_f1/value"] == pytest.approx(f1_score(LABELS, predicted, average="macro"))
    assert found["auc/value"] == pytest.approx(roc_auc_score(LABELS, PROBABILITIES, multi_class="ovr"), rel=1e-6)
    for name in ("balanced_accuracy", "macro_f1", "auc"):
        assert found[f"{name}/low"] < found[f"{name}/value"] < found[f"{name}/high"]
    assert 0 <= found["ece/low"] <= found["ece/debiased"] < found["ece/value"]
    assert found["whole/without_value"] == 0
    (table,) = [table for table in result.further if table.title.endswith("all together")]
    assert [row[0] for row in table.rows][2] == "AUC, one against the rest"


def test_two_classes_by_logits_and_by_probabilities_have_one_auc(stages_of, tmp_path):
    logits, labels = FIRST[:, :2], (LABELS > 1).astype(int)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    by_logits = answered(stages_of, write(tmp_path / "a.parquet", label=labels, logits=logits))
    by_chances = answered(stages_of, write(tmp_path / "b.parquet", label=labels, probabilities=probabilities))
    expected = roc_auc_score(labels, logits[:, 1] - logits[:, 0])
    assert by_logits.metrics["auc/value"] == pytest.approx(expected)
    assert by_chances.metrics["auc/value"] == pytest.approx(expected, abs=1e-6)


def test_a_class_without_a_row_is_counted_and_said(stages_of, tmp_path):
    rows = LABELS < 3
    result = answered(stages_of, write(tmp_path / "a.parquet", label=LABELS[rows], logits=FIRST[rows]))
    assert result.metrics["whole/without_value"] == 3
    assert not {"balanced_accuracy/value", "macro_f1/value", "auc/value"} & set(result.metrics)
    assert "no macro F1: 1 of 4 classes has no row" in result.notes
    assert "ece/value" in result.metrics


def test_labels_alone_have_no_calibration_and_no_auc(stages_of, tmp_path):
    path = write(tmp_path / "a.parquet", label=LABELS, prediction=FIRST.argmax(axis=1))
    found = answered(stages_of, path).metrics
    assert "balanced_accuracy/value" in found
    assert not {"ece/value", "auc/value"} & set(found)


def test_losses_alone_have_none_of_them(stages_of, tmp_path):
    path = write(tmp_path / "a.parquet", loss=np.abs(FIRST[:, 0]))
    assert not [name for name in answered(stages_of, path).metrics if name.startswith(("whole/", "auc/", "ece/"))]


def test_rows_that_belong_together_are_counted_as_groups(stages_of, tmp_path):
    groups = np.repeat(np.arange(len(LABELS) // 4), 4)
    path = write(
        tmp_path / "a.parquet", label=np.repeat(LABELS[::4], 4), logits=np.repeat(FIRST[::4], 4, axis=0), doc=groups
    )
    alone, grouped = (answered(stages_of, path, fields=own).metrics for own in ({}, {"group": "doc"}))
    for name in ("balanced_accuracy", "auc"):
        widths = [own[f"{name}/high"] - own[f"{name}/low"] for own in (alone, grouped)]
        assert widths[1] == pytest.approx(2 * widths[0], rel=0.05)
