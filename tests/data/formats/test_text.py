import gzip
import json

import numpy as np
import pytest

from pipeline.data.formats import text_lines
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput
from pipeline.runtime import files


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))


@pytest.fixture
def opened(tmp_path):
    """A function from a name and lines to the table, and to its whole column where one is named."""

    def open_written(name, content, column=None):
        content = content if isinstance(content, bytes) else "".join(f"{line}\n" for line in content).encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        source = open_table(str(tmp_path / name))
        return source if column is None else source.column(column)

    return open_written


@pytest.fixture
def small_pieces(monkeypatch):
    """Files read some 100 bytes at a time."""
    monkeypatch.setattr(text_lines, "_PIECE", 100)


def kept():
    return sorted(path.name for path in files.cache("tables").glob("*"))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_csv_has_the_types_that_its_values_have(opened, name):
    source = opened(name, ["id,whole,number,truth,text", "1,-3,0.5,true,a b", "2,4,-1e-3,false,c"])
    assert {name: column.kind for name, column in source.columns.items()} == {
        "id": "i", "whole": "i", "number": "f", "truth": "b", "text": "U"
    }  # fmt: skip
    assert source.column("whole").tolist() == [-3, 4]
    assert source.column("number").tolist() == [0.5, -0.001]
    assert source.column("truth").tolist() == [True, False]
    assert source.column("text").tolist() == ["a b", "c"]


def test_json_lines_have_the_types_that_their_values_have(opened):
    rows = [{"l": [1, 2], "whole": 3, "text": "2020-01-01", "deep": {"a": 1}, "mixed": 1},
            {"l": [0.5, 2], "whole": 4, "text": "b", "deep": {"a": 2}, "mixed": "x"}]  # fmt: skip
    source = opened("a.jsonl", map(json.dumps, rows))
    assert source.column("l").tolist() == [[1.0, 2.0], [0.5, 2.0]]
    assert source.column("whole").tolist() == [3, 4]
    assert source.column("text").tolist() == ["2020-01-01", "b"]
    assert source.column("mixed").tolist() == ["1", "x"]
    assert source.columns["deep"].kind == "O"
    assert 'first {"a": 1} in line 1' in source.columns["deep"].type_name


def test_infinities_and_nan_are_read_as_they_are(opened):
    np.testing.assert_array_equal(opened("a.csv", ["x", "nan", "-inf", "NaN"], "x"), [np.nan, -np.inf, np.nan])
    found = opened("a.jsonl", ['{"x": NaN}', '{"x": -Infinity}', '{"x": 1}'], "x")
    np.testing.assert_array_equal(found, [np.nan, -np.inf, 1])


@pytest.mark.usefixtures("small_pieces")
def test_a_column_that_turns_out_to_hold_more_is_read_again_from_the_start(opened):
    whole = [str(i) for i in range(100)]
    source = opened("a.csv", ["a,b,c", *(f"{i},{i},{i}" for i in whole), "0.5,1,x"])
    assert source.column("a").tolist() == [*range(100), 0.5]
    assert source.column("b").tolist() == [*range(100), 1]
    assert source.column("c").tolist() == [*whole, "x"]
    assert source.columns["c"].type_name == "text, first x in line 102"
    rows = [{"a": i, "l": [i], "c": i} for i in range(100)]
    source = opened("a.jsonl", map(json.dumps, [*rows, {"a": 0.5, "l": [0.5], "c": "x"}]))
    assert source.column("a").tolist() == [*range(100), 0.5]
    assert source.column("l").ravel().tolist() == [*range(100), 0.5]
    assert source.columns["c"].type_name == 'text, first "x" in line 101'


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
def test_a_row_is_named_by_file_and_line(opened, tmp_path, name):
    content = ["a", *map(str, range(500))] if "csv" in name else [f'{{"a": {i}}}' for i in range(500)]
    source = opened(name, content)
    assert len(source) == 500
    assert source.where(0) == f"line {2 if 'csv' in name else 1} of {tmp_path / name}"
    assert source.where(498) == f"line {500 if 'csv' in name else 499} of {tmp_path / name}"
    np.testing.assert_array_equal(source.column("a"), np.arange(500))


def test_a_folder_is_one_table_whose_rows_are_named_by_their_own_file(tmp_path):
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "a.csv").write_text("x,y\n1,2\n3,4\n")
    (folder / "b.csv").write_text("x,y\n5.5,6\n")
    source = open_table(str(folder))
    assert source.column("x").tolist() == [1, 3, 5.5]
    assert source.where(1) == f"line 3 of {folder / 'a.csv'}"
    assert source.where(2) == f"line 2 of {folder / 'b.csv'}"
    (folder / "c.csv").write_text("x,z\n7,8\n")
    with pytest.raises(BadInput, match=r"c\.csv must have the columns x, y, as the first file has; found x, z"):
        open_table(str(folder))


def test_a_file_is_converted_once_and_again_where_it_has_changed_or_the_cache_is_damaged(opened):
    opened("a.csv", ["x", "1"])
    (first,) = kept()
    path = files.cache("tables") / first
    before = path.stat().st_mtime_ns
    assert opened("a.csv", ["x", "1"], "x").tolist() == [1]
    assert path.stat().st_mtime_ns == before
    path.write_bytes(path.read_bytes()[:-9])
    assert opened("a.csv", ["x", "1"], "x").tolist() == [1]
    assert opened("a.csv", ["x", "2"], "x").tolist() == [2]
    assert len(kept()) == 2


def test_a_byte_order_mark_and_quotes_are_no_part_of_a_name(opened):
    assert opened("a.csv", b'\xef\xbb\xbf"x","y, z"\r\n1,2\r\n\r\n\r\n').columns.keys() == {"x", "y, z"}
    assert opened("a.jsonl", b'\xef\xbb\xbf{"x": 1}\n\n').column("x").tolist() == [1]


WRONG = {
    "a line with a value more": ("a.csv", ["a,b", "1,2", "1,2,3"], r"line 3 of .*a\.csv must have 2 values, .*found 3"),
    "a line with a value less": ("a.tsv", ["a\tb", "1\t2", "1"], r"line 3 of .*a\.tsv must have 2 values, .*found 1"),
    "a value over two lines": ("a.csv", ["a,b", '1,"x', 'y"'], r"line 2 of .*a\.csv must be values between ','"),
    "one column over two lines": ("a.csv", ["a", '"x', 'y"'], r"line 2 of .*a\.csv must be values between ','; found"),
    "a name twice": ("a.csv", ["a,b,a", "1,2,3"], r"a\.csv must name each column once; found 'a' twice"),
    "no names": ("a.csv", ["", "1"], r"a\.csv must name its columns in line 1; found no name"),
    "no JSON": ("a.jsonl", ['{"a": 1}', '{"a": }'], r"line 2 of .*a\.jsonl must be a JSON object; found \{\"a\": \}"),
    "no object": ("a.jsonl", ['{"a": 1}', "[1]"], r"line 2 of .*a\.jsonl must be a JSON object, .*found \[1\]"),
    "two on a line": ("a.jsonl", ['{"a": 1}{"a": 2}'], r"line 1 of .*a\.jsonl must be a JSON object; found"),
    "one on two lines": ("a.jsonl", ['{"a":', "1}"], r"line 1 of .*a\.jsonl must be a JSON object; found \{\"a\":"),
    "an empty line": ("a.jsonl", ['{"a": 1}', "", '{"a": 1}'], r"line 2 of .* must be a JSON object; found an empty l"),
    "no key": (
        "a.jsonl",
        ["{}", "{}"],
        r"a\.jsonl must have keys whose values are numbers, .*found none in lines 1 to 2",
    ),
    "other bytes": ("a.csv", b"a\n1\n\xff\n", r"a\.csv must be UTF-8 text; found other bytes in line 3"),
    "a byte of 0": ("a.csv", b"a\n1\n\0\n", r"a\.csv must be text; found a byte of 0 in line 3"),
    "deep nesting": (
        "a.jsonl",
        ['{"a": ' + "[" * 9999 + "]" * 9999 + "}"],
        r"line 1 of .* must be a JSON object; found",
    ),
}


@pytest.mark.parametrize(("name", "content", "says"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_line_is_named_and_nothing_is_kept(opened, name, content, says):
    with pytest.raises(BadInput, match=says) as caught:
        opened(name, content)
    assert str(caught.value).isprintable()
    assert kept() == []


def test_a_missing_value_is_named_by_its_line_and_column(opened, tmp_path):
    with pytest.raises(BadInput, match=rf"'b' must have a value in every row; found none in line 3 of {tmp_path}/a\.c"):
        opened("a.csv", ["a,b", "1,2", "3,"], "b")
    with pytest.raises(BadInput, match=r"'b' must have a value in every row; found none in line 2 of .*a\.jsonl"):
        opened("a.jsonl", ['{"a": 1, "b": 2}', '{"a": 1}'], "b")
    with pytest.raises(BadInput, match=r"'l' must have 2 values in every row, as in the first; found 1 in line 2 of"):
        opened("a.jsonl", ['{"l": [1, 2]}', '{"l": [1]}'], "l")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(opened, monkeypatch, peak_of):
    monkeypatch.setattr(text_lines, "MOST_OF_A_LINE", 1 << 20)

    def refused():
        with pytest.raises(BadInput, match=r"line 1 of .*a\.csv\.gz must take at most 1,048,576 bytes; found more"):
            opened("a.csv.gz", b"1" * (1 << 24))

    assert peak_of(refused) < 1 << 26


def test_wide_rows_make_row_groups_of_bounded_size(opened, monkeypatch):
    monkeypatch.setattr("pipeline.data.formats.text._GROUP_BYTES", 10_000)
    monkeypatch.setattr(text_lines, "_PIECE", 1000)
    source = opened("a.csv", [",".join(f"c{i}" for i in range(50)), *([",".join(["0.5"] * 50)] * 200)])
    assert len(source) == 200
    assert len(source.bounds) - 1 >= 200 * 50 * 8 / 10_000 / 2
