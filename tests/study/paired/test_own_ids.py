"""A column `id` matches the rows of two files without being named, or a line says that it does not."""

import numpy as np
import pytest

from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.study.paired import own_ids
from pipeline.study.paired.own_ids import with_own_ids
from tests.study.predicted import ROWS, two_models, write

FIRST, SECOND, LABELS = two_models()
IDS = np.array([f"row-{number}" for number in range(ROWS)])
SHUFFLED = np.random.default_rng(4).permutation(ROWS)
OURS = {"label": LABELS, "logits": FIRST, "id": IDS}
THEIRS = {"label": LABELS, "logits": SECOND, "id": IDS}


def shuffled(columns, order=SHUFFLED):
    return {name: values[order] for name, values in columns.items()}


def in_order(pair):
    np.testing.assert_allclose(pair.before.loss, cross_entropy(FIRST, LABELS), rtol=1e-12)
    np.testing.assert_allclose(pair.after.loss, cross_entropy(SECOND, LABELS), rtol=1e-12)
    return True


def test_rows_of_another_order_are_matched_by_their_column_id_without_a_word(paired, capsys):
    assert in_order(paired(OURS, shuffled(THEIRS)))
    assert capsys.readouterr().err == ""


def test_ids_that_are_numbers_in_one_file_and_text_in_the_other_match(paired):
    numbers = np.arange(ROWS)
    assert in_order(paired({**OURS, "id": numbers}, shuffled({**THEIRS, "id": numbers.astype(str)})))


def test_another_column_of_ids_of_the_second_file_is_the_one_that_is_named(paired):
    theirs = shuffled({"label": LABELS, "logits": SECOND, "name": IDS})
    assert in_order(paired(OURS, theirs, columns={"id": "name"}))


def test_ids_of_other_rows_leave_the_order_and_are_told_once(paired, capsys):
    other = IDS.copy()
    other[3:5] = "new-3", "new-4"
    for _ in range(2):
        assert in_order(paired(OURS, {**THEIRS, "id": other}))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert (
        "the column id differs in 2 of 1,200 rows of a.parquet and b.parquet, first row-3 and new-3 in row 3 " in said
    )
    assert said.endswith("data.id=id matches them, and refuses rows that one file has alone\n")


def test_a_column_id_that_is_not_unique_leaves_the_order_and_is_told(paired, capsys):
    kinds = np.arange(ROWS) % 7
    assert in_order(paired({**OURS, "id": kinds}, {**THEIRS, "id": kinds[SHUFFLED]}))
    assert "names some rows twice, so it cannot match them; data.id=COLUMN" in capsys.readouterr().err


def test_equal_columns_leave_the_order_whether_they_are_unique_or_not(paired, capsys):
    kinds = np.arange(ROWS) % 7
    assert in_order(paired({**OURS, "id": kinds}, {**THEIRS, "id": kinds}))
    assert capsys.readouterr().err == ""


def test_a_column_id_of_one_file_alone_leaves_the_order(paired, capsys):
    assert in_order(paired(OURS, {"label": LABELS, "logits": SECOND}))
    assert capsys.readouterr().err == ""


def test_a_column_id_with_a_row_that_has_none_leaves_the_order(paired):
    missing = IDS[SHUFFLED].astype(object)
    missing[5] = None
    assert in_order(paired(OURS, {**THEIRS, "id": missing}))


def test_a_label_that_differs_at_a_matched_id_is_a_fault_of_the_file(paired):
    wrong = LABELS.copy()
    wrong[700] = (wrong[700] + 1) % 4
    with pytest.raises(BadInput, match=r": mend one of them$"):
        paired(OURS, shuffled({**THEIRS, "label": wrong}))


def test_above_the_most_rows_in_memory_no_column_is_looked_at(tmp_path, monkeypatch):
    ours = Predictions(path=write(tmp_path / "a.parquet", **OURS))
    theirs = Predictions(path=write(tmp_path / "b.parquet", **shuffled(THEIRS)))
    assert [each.id for each in with_own_ids(ours, theirs)] == ["id", "id"]
    monkeypatch.setattr(own_ids, "MOST_IN_MEMORY", ROWS - 1)
    assert with_own_ids(ours, theirs) == (ours, theirs)
