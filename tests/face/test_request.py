import numpy as np
import pandas as pd
import pytest

import pipeline as bs
from pipeline.face.request import requested
from tests.face.given import two_models

LABELS, FIRST, SECOND = two_models()


def test_slices_are_called_as_the_user_does_unless_that_name_has_a_meaning():
    by = np.array(["x", "y"])[np.arange(len(LABELS)) % 2]
    table = pd.DataFrame({"label": LABELS, "logits": list(FIRST), "lossy": by})
    assert bs.scores(table, by="lossy").request["data.by"] == "lossy"
    assert bs.scores(table, by="label").request["data.by"] == "slice"
    assert bs.scores(LABELS, logits=FIRST, by=by).request["data.by"] == "slice"


@pytest.fixture
def path(tmp_path):
    pd.DataFrame({"label": LABELS, "logits": list(FIRST), "w": 1.0}).to_parquet(tmp_path / "a.parquet")
    return str(tmp_path / "a.parquet")


def test_a_file_is_asked_for_by_its_path_its_columns_and_its_metrics(path):
    assert bs.scores(path, weight="w", metrics=["loss", "top_2"]).request == {
        "data": "predictions",
        "data.path": path,
        "data.label": "label",
        "data.weight": "w",
        "metric": ["loss", "top_k"],
        "metric.top_k.k": 2,
    }


def test_no_command_can_read_a_column_that_the_file_does_not_hold_or_two_metrics_of_one_name(path):
    assert bs.scores(path, weight=np.ones(len(LABELS))).request == {}
    assert bs.scores(path, metrics=["top_1", "top_2"]).request == {}


def test_the_other_models_rows_are_asked_for_by_their_path_where_their_columns_are_called_alike(path, tmp_path):
    other = str(tmp_path / "b.parquet")
    pd.DataFrame({"label": LABELS, "logits": list(SECOND), "truth": LABELS}).to_parquet(other)
    first, second = bs.scores(path), bs.scores(other)
    assert requested({"study": "compare"}, first, second) == {
        **first.request,
        "study": "compare",
        "study.against": other,
    }
    assert requested({"study": "compare"}, first, bs.scores(other, label="truth")) == {}


def test_a_command_that_does_not_answer_for_slices_is_not_asked_to(path):
    rows = bs.scores(path, by="w")
    assert "data.by" in requested({}, rows)
    assert "data.by" not in requested({}, rows, takes_slices=False)
