import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.data.formats import json_lines, text_lines
from pipeline.data.formats.inferred_types import FirstNonNumber, Widened
from pipeline.data.formats.json_lines import JsonLines
from pipeline.data.formats.locations import Location
from pipeline.errors import BadInput

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, width=32)
VALUES = st.none() | st.booleans() | NUMBERS | st.text(max_size=3) | st.lists(NUMBERS | st.none(), max_size=2)
RECORDS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), min_size=1, max_size=12)


def read(path):
    """The reader, and the rows of all tables; read again as often as types are widened."""
    reader = JsonLines()
    for _ in range(99):
        try:
            return reader, [row for table in reader.tables(Location(str(path))) for row in table.to_pylist()]
        except Widened:
            continue
    raise AssertionError("types are widened without an end")


def written(folder, records):
    path = folder / "a.jsonl"
    path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in records))
    return path


def outcome(path):
    try:
        reader, rows = read(path)
    except BadInput as error:
        return str(error)
    return reader.kinds, reader.first_non_numbers, rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS)
def test_types_told_by_the_first_lines_give_what_all_lines_give(tmp_path, records):
    path = written(tmp_path, records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "_FIRST_LINES", 2)
        by_first = outcome(path)
        patch.setattr(json_lines, "_FIRST_LINES", 1000)
        assert repr(by_first) == repr(outcome(path))


def test_rows_that_are_alike_never_pass_through_python_but_for_the_first(tmp_path, monkeypatch):
    records = [{"l": [i, 0.5], "n": i, "t": f"{i}"} for i in range(5000)]
    path = written(tmp_path, records)
    monkeypatch.setattr(JsonLines, "_parse_with_python", lambda *_: pytest.fail("all lines went through Python"))
    assert read(path)[1] == [{**each, "l": [float(value) for value in each["l"]]} for each in records]


@pytest.mark.parametrize("more", [{"n": 1, "later": 2}, {"n": 0.5}, {"n": "x"}, {"n": [1]}, {"n": None}])
def test_a_line_behind_the_first_ones_may_hold_more(tmp_path, monkeypatch, more):
    monkeypatch.setattr(json_lines, "_FIRST_LINES", 3)
    _, rows = read(written(tmp_path, [*[{"n": i, "m": i} for i in range(9)], more]))
    assert len(rows) == 10
    assert rows[0]["m"] == 0
    if "later" in more:
        assert [row["later"] for row in rows] == [None] * 9 + [2]
    elif not isinstance(more["n"], list | str):
        assert [row["n"] for row in rows] == [*range(9), more["n"]]
    elif isinstance(more["n"], str):
        assert [row["n"] for row in rows] == [*map(str, range(9)), "x"]
    else:
        assert "n" not in rows[0]


def test_the_first_value_that_is_no_number_is_kept_with_its_line(tmp_path):
    reader, rows = read(written(tmp_path, [{"a": 1, "b": 1}, {"a": "x", "b": {"c": 1}}, {"a": "y", "b": 2}]))
    assert reader.first_non_numbers == {"a": FirstNonNumber(2, '"x"'), "b": FirstNonNumber(2, '{"c": 1}')}
    assert rows == [{"a": "1"}, {"a": "x"}, {"a": "y"}]


@pytest.mark.parametrize("at", [2, 40])
def test_a_wrong_line_is_named_wherever_it_stands(tmp_path, monkeypatch, at):
    monkeypatch.setattr(json_lines, "_FIRST_LINES", 5)
    monkeypatch.setattr(text_lines, "_PIECE", 200)
    records = [{"a": i} for i in range(60)]
    with pytest.raises(BadInput, match=rf"line {at} of .*a\.jsonl must be a JSON object; found \{{\"a\": "):
        read(written(tmp_path, [*records[: at - 1], '{"a": ', *records[at:]]))


@pytest.mark.parametrize("place", [0, 999, 1500])
def test_a_key_twice_is_refused_with_its_line_wherever_it_stands(tmp_path, place):
    lines = ['{"a": 1, "t": "x"}'] * 2000
    lines[place] = '{"a": 1, "t": "x", "a": 2}'
    with pytest.raises(
        BadInput, match=rf"line {place + 1:,} of .* must name each key once; found 'a' twice: mend that"
    ):
        read(written(tmp_path, lines))


def test_a_key_that_stands_in_a_text_or_within_another_object_is_no_second_one(tmp_path):
    lines = ['{"a": 1, "t": "x"}'] * 1500 + [
        '{"a": 1, "t": "\\"a\\": 2"}',
        '{"a": 1, "t": "\\"a\\"", "more": {"a": 3}}',
    ]
    assert len(read(written(tmp_path, lines))[1]) == 1502
