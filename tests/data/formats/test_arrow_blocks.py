"""Columns of every type that Parquet and Arrow have."""

import decimal

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput


def parquet(path, table):
    pq.write_table(table, path / "t.parquet")
    return str(path / "t.parquet")


def arrow(path, table):
    with ipc.new_file(str(path / "t.arrow"), table.schema) as writer:
        writer.write_table(table)
    return str(path / "t.arrow")


WRITERS = pytest.mark.parametrize("write", [parquet, arrow])
VALUES = [1, 0, 1]
NUMBERS = {
    **{name: pa.array(VALUES, name) for name in ("int8", "int16", "int32", "uint8", "uint16", "uint64", "float64")},
    "float16": pa.array(np.array(VALUES, np.float16)),
    "bool": pa.array([True, False, True]),
    "decimal": pa.array([decimal.Decimal(v) for v in VALUES], pa.decimal128(5, 2)),
    "dictionary": pa.array(VALUES).dictionary_encode(),
    "dictionary of floats": pa.array([1.0, 0.0, 1.0]).dictionary_encode(),
}


@WRITERS
@pytest.mark.parametrize("values", NUMBERS.values(), ids=list(NUMBERS))
def test_numbers_of_every_type_are_read(tmp_path, write, values):
    source = open_table(write(tmp_path, pa.table({"c": values})))
    assert source.columns["c"].kind in "iufb"
    np.testing.assert_array_equal(source.column("c").astype(float), VALUES)


ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
TENSORS = pa.FixedShapeTensorArray.from_numpy_ndarray(np.array(ROWS).reshape(3, 1, 2))
LISTS = {
    "list": pa.array(ROWS),
    "large list": pa.array(ROWS, pa.large_list(pa.float64())),
    "fixed size": pa.array(ROWS, pa.list_(pa.float32(), 2)),
    "half": pa.array(ROWS, pa.list_(pa.float64())).cast(pa.list_(pa.float16())),
    "decimals": pa.array(ROWS).cast(pa.list_(pa.decimal128(5, 2))),
    "tensors": TENSORS,
    "a slice of a longer one": pa.array([[9.0, 9.0], *ROWS])[1:],
    "a slice of a longer fixed size": pa.array([[9.0, 9.0], *ROWS], pa.list_(pa.float64(), 2))[1:],
}


@WRITERS
@pytest.mark.parametrize("values", LISTS.values(), ids=list(LISTS))
def test_lists_of_every_type_are_read(tmp_path, write, values):
    source = open_table(write(tmp_path, pa.table({"c": values})))
    assert source.columns["c"].width == 2
    assert source.columns["c"].kind == "f"
    np.testing.assert_array_equal(source.column("c").astype(float), ROWS)


OTHERS = {
    "struct": pa.array([{"a": 1}] * 3),
    "list of structs": pa.array([[{"a": 1}]] * 3),
    "list of lists": pa.array([[[1.0]]] * 3),
    "map": pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"a"] * 3),
    "null": pa.nulls(3),
}


@WRITERS
@pytest.mark.parametrize("values", OTHERS.values(), ids=list(OTHERS))
def test_other_columns_are_left_alone_until_they_are_asked_for(tmp_path, write, values):
    source = open_table(write(tmp_path, pa.table({"c": values, "label": VALUES})))
    np.testing.assert_array_equal(source.column("label"), VALUES)
    assert source.columns["c"].kind == "O"


@WRITERS
def test_text_and_text_in_a_dictionary_are_the_same(tmp_path, write):
    text = pa.array(["a", "b", "a"])
    source = open_table(write(tmp_path, pa.table({"c": text, "d": text.dictionary_encode()})))
    assert source.columns["c"].kind == source.columns["d"].kind == "U"
    assert source.column("c").tolist() == source.column("d").tolist() == ["a", "b", "a"]


GONE = {
    "a number": pa.array([1, None, 3]),
    "a list": pa.array([[1.0], None, [2.0]]),
    "a fixed list": pa.array([[1.0], None, [2.0]], pa.list_(pa.float64(), 1)),
    "an index": pa.array([1, None, 3]).dictionary_encode(),
    "a dictionary's entry": pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array([1, None])),
}


# Arrow's own Parquet writes no dictionary with a hole, and does not read a list of fixed size that is missing.
NOT_IN_PARQUET = ("a dictionary's entry", "a fixed list")


@pytest.mark.parametrize(
    ("write", "values"),
    [(arrow, values) for values in GONE.values()] + [(parquet, v) for k, v in GONE.items() if k not in NOT_IN_PARQUET],
)
def test_a_missing_value_is_refused_with_its_row(tmp_path, write, values):
    source = open_table(write(tmp_path, pa.table({"c": values})))
    with pytest.raises(BadInput, match=r"the column 'c' must have a value in every row; found none in row 1 of .*t\."):
        source.column("c")


@WRITERS
def test_lists_that_differ_in_width_or_have_a_hole_are_refused_with_their_row(tmp_path, write):
    source = open_table(write(tmp_path, pa.table({"c": [[1.0, 2.0], [1.0, 2.0], [3.0]]})))
    with pytest.raises(BadInput, match=r"'c' must have 2 values in every row, as in the first; found 1 in row 2 of"):
        source.column("c")
    source = open_table(write(tmp_path, pa.table({"c": [[1.0, 2.0], [1.0, None]]})))
    with pytest.raises(BadInput, match=r"'c' must have numbers alone in every row; found an empty value in row 1 of"):
        source.column("c")


def test_columns_of_one_name_are_refused(tmp_path):
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["c", "c"])
    for write in (parquet, arrow):
        with pytest.raises(BadInput, match=r"must name each column once; found c, c"):
            open_table(write(tmp_path, twice))


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_a_schema_that_changes_between_files_is_refused_with_file_and_column(tmp_path, ending):
    write = {"parquet": parquet, "arrow": arrow}[ending]
    for name, table in (("a", {"x": [1.0], "y": [1]}), ("b", {"x": ["1"], "y": [1]})):
        (tmp_path / name).mkdir()
        write(tmp_path / name, pa.table(table))
    says = r"b/t\.\w+ must have the columns of t\.\w+; found the column 'x' of type string instead of double"
    with pytest.raises(BadInput, match=says):
        open_table(str(tmp_path))


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
@pytest.mark.parametrize("names", ["abc", "bac", "cba"])
def test_a_file_without_rows_need_not_say_what_its_columns_would_have_held(tmp_path, ending, names):
    write = {"parquet": parquet, "arrow": arrow}[ending]
    none = pa.table({"x": pa.nulls(0), "y": pa.nulls(0)})
    for name, table in zip(
        names, (pa.table({"x": [1.0], "y": [1]}), none, pa.table({"x": [2.0], "y": [3]})), strict=True
    ):
        (tmp_path / name).mkdir()
        write(tmp_path / name, table)
    source = open_table(str(tmp_path))
    assert sorted(source.column("x").tolist()) == [1, 2]
    assert sorted(source.column("y").tolist()) == [1, 3]


def test_row_groups_without_rows_are_no_shards(tmp_path):
    table = pa.table({"c": [1, 2]})
    with pq.ParquetWriter(tmp_path / "t.parquet", table.schema) as writer:
        for part in (table[:0], table[:1], table[:0], table[1:], table[:0]):
            writer.write_table(part)
    source = open_table(str(tmp_path / "t.parquet"))
    assert source.bounds.tolist() == [0, 1, 2]
    assert source.column("c").tolist() == [1, 2]
