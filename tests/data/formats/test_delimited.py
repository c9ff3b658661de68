import csv
import io

import numpy as np
import pandas as pd
import pytest

from pipeline.data.formats import text_lines
from pipeline.data.formats.delimited import Delimited
from pipeline.data.formats.inferred_types import BOOLEAN, EMPTY, FLOAT, INTEGER, TEXT, FirstNonNumber, Widened
from pipeline.data.formats.locations import Location
from pipeline.errors import BadInput


@pytest.fixture
def read(tmp_path):
    """A function from text to the reader and the tables that it makes of it."""

    def run(text, delimiter=","):
        (tmp_path / "a.csv").write_text(text)
        reader = Delimited(delimiter)
        return reader, list(reader.tables(Location(str(tmp_path / "a.csv"))))

    return run


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_values_are_those_that_pandas_reads(read, delimiter):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"x": rng.normal(size=50), "n": rng.integers(9, size=50), "t": [f'a{i}{delimiter}"' for i in range(50)]}
    )
    _, tables = read(frame.to_csv(index=False, sep=delimiter), delimiter)
    (table,) = tables
    for name in ("n", "t"):
        assert table[name].to_pylist() == frame[name].tolist()
    np.testing.assert_array_equal(table["x"], frame["x"])


def test_the_types_are_those_of_all_values_and_the_first_text_is_kept(read):
    reader, _ = read("none,truth,whole,number,text\n,true,1,1,1\nNA,false,-2,.5,x y\n,true,3,nan,z\n")
    assert list(reader.kinds.values()) == [EMPTY, BOOLEAN, INTEGER, FLOAT, TEXT]
    assert reader.first_non_numbers == {"text": FirstNonNumber(3, "x y")}


def test_a_piece_that_holds_more_asks_for_another_start_and_is_read_then(read, tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "_PIECE", 20)
    text = "a,b\n" + "1,1\n" * 20 + "0.5,x\n"
    (tmp_path / "a.csv").write_text(text)
    reader = Delimited(",")
    with pytest.raises(Widened):
        list(reader.tables(Location(str(tmp_path / "a.csv"))))
    assert reader.kinds == {"a": FLOAT, "b": TEXT}
    assert reader.first_non_numbers == {"b": FirstNonNumber(22, "x")}
    rows = [row for table in reader.tables(Location(str(tmp_path / "a.csv"))) for row in table.to_pylist()]
    expected = [{"a": float(row["a"]), "b": row["b"]} for row in csv.DictReader(io.StringIO(text))]
    assert rows == expected


def test_a_file_of_names_alone_has_no_rows(read):
    assert read("a,b\n")[1] == []
    assert read("")[1] == []


def test_a_line_of_another_width_is_named_even_where_types_are_known(read, monkeypatch):
    monkeypatch.setattr(text_lines, "_PIECE", 20)
    with pytest.raises(BadInput, match=r"line 22 of .*a\.csv must have 2 values, as the first line has names; found 3"):
        read("a,b\n" + "1,1\n" * 20 + "1,2,3\n")


@pytest.mark.parametrize("value", ['"1\n2"', '"\n"'])
def test_a_value_over_two_lines_is_refused_even_where_types_are_known(read, monkeypatch, value):
    monkeypatch.setattr(text_lines, "_PIECE", 40)
    with pytest.raises(BadInput, match=r"line 31 of .*a\.csv must be values between ',';.*mend that line"):
        read("a,t\n" + "1,x\n" * 29 + f"1,{value}\n")
