"""A table of predictions is scored as data=predictions scores it."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput
from pipeline.metric.chosen import main_metrics
from pipeline.model.given import Given
from pipeline.scoring.rows import score
from pipeline.scoring.table import Table

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 50)
FRAME = pd.DataFrame({"label": LABELS, "logits": list(RNG.normal(size=(50, 3))), "g": LABELS})


def test_a_file_has_the_scores_that_data_predictions_gives_it(tmp_path):
    path = tmp_path / "a.parquet"
    FRAME.to_parquet(path)
    data = Predictions(path=str(path))
    theirs = score(Given().built(data), data.load())
    for table in (Table.of(path, {}, ""), Table.of(FRAME, {"logits": "logits"}, "")):
        rows, found, known = table.scored(main_metrics())
        assert found.loss.tolist() == theirs.loss.tolist()
        assert found.correct.tolist() == theirs.correct.tolist()
        assert list(known) == ["loss", "accuracy"]
        assert len(rows) == 50


def test_further_columns_are_named_or_given():
    table = Table.of(FRAME, {}, "")
    assert table.column("g", "by").tolist() == LABELS.tolist()
    assert table.column([1, 2], "by").tolist() == [1, 2]
    assert table.column(None, "by") is None
    with pytest.raises(BadInput, match="by must be an array, or a column of the table; found h and label, logits, g"):
        table.column("h", "by")
    with pytest.raises(BadInput, match="found g and arrays"):
        Table.of(None, {"loss": [0.1]}, "").column("g", "by")


def test_an_empty_cell_of_a_file_is_refused_with_its_line(tmp_path):
    (tmp_path / "a.csv").write_text("label,probability_0,probability_1,country\n0,0.5,0.5,NO\n1,0.5,0.5,\n")
    with pytest.raises(
        BadInput, match=r"^the column 'country' must have a value in every row; found none in line 3 of"
    ):
        Table.of(str(tmp_path / "a.csv"), {}, "").column("country", "by")
