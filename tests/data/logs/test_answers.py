import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.logs import answers
from pipeline.data.logs.answers import columns_of, listed, right_or_wrong, scalars


@pytest.mark.parametrize("fields", [None, "text", ["a"], 3])
def test_what_is_no_mapping_has_no_fields(fields):
    assert scalars(fields, prefix="doc.") == {}


def test_fields_that_are_text_or_numbers_are_kept_under_their_prefix():
    fields = {"a": "x", "b": 1, "c": 0.5, "d": True, "e": [1], "f": {"g": 1}, "h": None}
    assert scalars(fields, prefix="m.") == {"m.a": "x", "m.b": 1, "m.c": 0.5, "m.d": True}


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["a", "bcd"], "U"), ([1, -2], "i"), ([1, 0.5], "f"), ([True, False], "b"), ([0.5, float("nan")], "f")],
)
def test_a_column_has_the_type_of_its_values(values, kind):
    columns, left_out = columns_of([{"x": value} for value in values])
    assert left_out == []
    assert columns["x"].dtype.kind == kind
    np.testing.assert_array_equal(columns["x"], values)


@pytest.mark.parametrize(
    "rows",
    [
        [{"x": 1}, {}],
        [{"x": 1}, {"x": "1"}],
        [{"x": True}, {"x": 1}],
        [{"x": 2**63}, {"x": 1}],
        [{"x": 10**400}, {"x": 0.5}],
    ],
    ids=["absent", "numbers and text", "bool and int", "beyond int64", "beyond float64"],
)
def test_a_column_that_has_no_type_is_left_out_by_name(rows):
    assert columns_of([{"y": 1, **row} for row in rows])[1] == ["x"]


def test_text_that_would_take_too_much_memory_is_left_out(monkeypatch):
    monkeypatch.setattr(answers, "MAX_COLUMN_BYTES", 4 * 10 * 3)
    rows = [{"fits": "a" * 10, "not": "a" * 11}, {"fits": "", "not": ""}, {"fits": "", "not": ""}]
    columns, left_out = columns_of(rows)
    assert list(columns) == ["fits"]
    assert columns["fits"].nbytes == answers.MAX_COLUMN_BYTES
    assert left_out == ["not"]


@given(
    st.sampled_from([True, False]),
    st.sampled_from([bool, int, float, str, lambda v: f" {int(v)} ", lambda v: str(float(v))]),
)
def test_0_and_1_are_read_however_they_are_written(value, write):
    assert right_or_wrong(write(value)) is value


@pytest.mark.parametrize("value", [0.5, 2, -1, "true", "yes", "", None, [1], {}, float("nan"), float("inf")])
def test_any_other_score_is_neither_right_nor_wrong(value):
    assert right_or_wrong(value) is None


def test_ten_names_at_most_are_listed():
    names = [f"n{i}" for i in range(12)]
    assert listed(names[:10]) == ", ".join(names[:10])
    assert listed(names) == ", ".join(names[:10]) + ", …"
    assert listed([]) == "none"
