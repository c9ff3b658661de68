"""The table of the rows on which two models differ most."""

import numpy as np
import pandas as pd

from pipeline.report.rows_apart import rows_table

FRAME = pd.DataFrame(
    {
        "id": ["doc-1", "doc-2"],
        "label": ["cat", "a class with a very long name"],
        "model_a": "old.csv",
        "model_b": "new.csv",
        "loss_a": [10.61, 0.0312],
        "loss_b": [6.7, np.inf],
        "loss_difference": [-3.91, np.inf],
    }
)


def test_each_row_has_both_values_and_the_signed_difference():
    table = rows_table(FRAME, "reviews test, 1,000 rows")
    assert table.title == "reviews test, the 2 rows that differ most"
    assert table.headings == ("id", "label", "loss, nats,\nold.csv", "loss, nats,\nnew.csv", "difference")
    assert table.rows[0] == ("doc-1", "cat", "10.6", "6.70", "-3.91")
    assert table.rows[1][0] == "doc-2"
    assert len(table.rows[1][1]) <= 20
    assert table.rows[1][2:] == ("0.031", "inf", "+inf")


def test_rows_without_labels_have_no_column_of_them():
    table = rows_table(FRAME.drop(columns="label").iloc[:1], "reviews")
    assert table.headings[:2] == ("id", "loss, nats,\nold.csv")
    assert table.title == "reviews, the 1 row that differs most"
