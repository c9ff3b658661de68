"""Rows of two files are matched by id or order, and other rows are refused."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from tests.study.predicted import ROWS, two_models

FIRST, SECOND, LABELS = two_models()
IDS = np.array([f"row-{number}" for number in range(ROWS)])
SHUFFLED = np.random.default_rng(4).permutation(ROWS)


def test_rows_of_another_order_are_matched_by_their_ids(paired):
    pair = paired(
        {"label": LABELS, "logits": FIRST, "name": IDS},
        {"label": LABELS[SHUFFLED], "logits": SECOND[SHUFFLED], "name": IDS[SHUFFLED]},
        id="name",
    )
    np.testing.assert_allclose(pair.before.loss, cross_entropy(FIRST, LABELS), rtol=1e-12)
    np.testing.assert_allclose(pair.after.loss, cross_entropy(SECOND, LABELS), rtol=1e-12)


def test_without_ids_another_order_is_seen_by_the_labels_and_refused(paired):
    rows = np.flatnonzero(LABELS[SHUFFLED] != LABELS)
    row = int(rows[0])
    with pytest.raises(BadInput, match=r"^study\.against must hold predictions of the same rows; ") as refused:
        paired(second={"label": LABELS[SHUFFLED], "logits": SECOND[SHUFFLED]})
    said = str(refused.value)
    assert f"found label {LABELS[row]} in " in said
    assert f"and {LABELS[SHUFFLED][row]} in " in said
    assert f", and {len(rows) - 1} more, next row {rows[1]} of " in said
    assert f", row {rows[2]} of " in said
    assert said.endswith("or name the column of their ids with data.id=COLUMN")


def test_a_label_that_differs_at_an_id_is_refused_as_a_fault_of_the_file(paired):
    wrong = LABELS.copy()
    wrong[700] = (wrong[700] + 1) % 4
    columns = {"logits": SECOND[SHUFFLED], "name": IDS[SHUFFLED]}
    with pytest.raises(BadInput, match=r": mend one of them$"):
        paired({"label": LABELS, "logits": FIRST, "name": IDS}, {"label": wrong[SHUFFLED], **columns}, id="name")


def test_files_of_different_lengths_are_refused(paired):
    with pytest.raises(
        BadInput, match=r"found 1,200 in .*a\.parquet and 1,100 in .*b\.parquet: give files of the same"
    ):
        paired(second={"label": LABELS[:1100], "logits": SECOND[:1100]})


@pytest.mark.parametrize("count", [1, 2, 5])
def test_ids_that_one_file_has_alone_are_counted_and_the_first_three_named(paired, count):
    other = IDS.copy()
    other[3 : 3 + count] = [f"new-{row}" for row in range(3, 3 + count)]
    named = ", ".join(f"'row-{row}' of row {row} of .*a\\.parquet" for row in range(3, 3 + min(count, 3)))
    ids = "id" if count == 1 else "ids"
    with pytest.raises(
        BadInput, match=rf"by their ids; found {count} {ids} missing in .*b\.parquet, first {named} and"
    ):
        paired(
            {"label": LABELS, "logits": FIRST, "name": IDS},
            {"label": LABELS, "logits": SECOND, "name": other},
            id="name",
        )


def test_files_without_an_id_in_common_say_so(paired):
    with pytest.raises(BadInput, match=r"found all ids missing in .*b\.parquet, first 'row-0' of row 0 .* and all ids"):
        paired(
            {"label": LABELS, "logits": FIRST, "name": IDS},
            {"label": LABELS, "logits": SECOND, "name": np.char.add("x", IDS)},
            id="name",
        )


def test_an_id_that_comes_twice_is_refused_with_its_row(paired):
    twice = IDS.copy()
    twice[8] = "row-3"
    with pytest.raises(
        BadInput, match=r"^name must name each row once; found row-3 in row 3 of .* and again in row 8 of "
    ):
        paired(
            {"label": LABELS, "logits": FIRST, "name": twice},
            {"label": LABELS, "logits": SECOND, "name": IDS},
            id="name",
        )
