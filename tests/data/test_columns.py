import pytest

from pipeline.data.columns import check_label, columns_named, label_column, listed
from pipeline.data.formats.base import Column
from pipeline.errors import BadInput

WHOLE, TEXT, LISTS = Column("i", None, "int64"), Column("U", None, "text"), Column("f", 3, "list<double>")


def test_numbered_columns_come_in_the_order_of_their_numbers_and_a_gap_is_refused():
    columns = dict.fromkeys([f"x_{i}" for i in (10, *range(10))], WHOLE)
    assert columns_named(columns, "x", "FILE") == tuple(f"x_{i}" for i in range(11))
    assert columns_named(columns, "x_3", "FILE") == ("x_3",)
    assert columns_named(columns, "y", "FILE") == ()
    del columns["x_4"]
    with pytest.raises(BadInput, match=r"FILE must have a column a class, from x_0 on; found no x_4"):
        columns_named(columns, "x", "FILE")


def test_labels_stands_in_for_label_alone():
    assert label_column({"labels": WHOLE}, "label") == "labels"
    assert label_column({"label": WHOLE, "labels": WHOLE}, "label") == "label"
    assert label_column({"labels": WHOLE}, "class") == "class"


def test_a_label_is_one_number_or_text_a_row():
    check_label({"label": WHOLE}, "label", "FILE")
    check_label({"label": TEXT}, "label", "FILE")
    with pytest.raises(BadInput, match=r"data\.label=label must be a column of FILE; found the columns x"):
        check_label({"x": WHOLE}, "label", "FILE")
    with pytest.raises(BadInput, match=r"the prediction column 'x' of FILE must hold one class a row.*prediction="):
        check_label({"x": LISTS}, "x", "FILE", key="prediction")


def test_of_many_columns_eight_are_named():
    assert listed(dict.fromkeys("abcdefghij", WHOLE)) == "a, b, c, d, e, f, g, h and 2 more"
