import pyarrow as pa
import pytest

from pipeline.data.formats.inferred_types import FLOAT, INTEGER, OTHER, Widened
from pipeline.data.formats.text_lines import Piece
from pipeline.data.formats.text_reader import TextReader


class Lengths(TextReader):
    """A row a line: its number; Arrow takes what int() takes, and drops lines that say so."""

    def __init__(self, pieces):
        super().__init__()
        self.pieces, self.examined = pieces, []

    def _pieces(self, place):
        first = 1
        for data in self.pieces:
            yield Piece(data, first)
            first += data.count(b"\n")

    def _parse_known(self, piece, types):
        lines = [line for _, line in piece.lines() if line != "drop"]
        return pa.table({"n": pa.array(lines, pa.string()).cast(types["n"])})

    def _parse_inferring(self, piece, place):
        self.examined.append(piece.first)
        before = dict(self.kinds)
        for _, line in piece.lines():
            self._widen("n", FLOAT if "." in line else INTEGER)
        self._check_unchanged(before)
        return self._parse_known(piece, self._types())


def test_only_a_piece_whose_types_are_not_known_is_examined():
    reader = Lengths([b"1\n2\n", b"3\n", b"4\n5\n"])
    assert [table["n"].to_pylist() for table in reader.tables(None)] == [[1, 2], [3], [4, 5]]
    assert reader.examined == [1]


def test_a_piece_that_does_not_fit_the_types_starts_over_with_wider_ones():
    reader = Lengths([b"1\n2\n", b"3.5\n"])
    with pytest.raises(Widened):
        list(reader.tables(None))
    assert reader.kinds == {"n": FLOAT}
    assert [table["n"].to_pylist() for table in reader.tables(None)] == [[1.0, 2.0], [3.5]]
    assert reader.examined == [1, 3]


def test_a_piece_with_fewer_rows_than_lines_is_examined():
    reader = Lengths([b"1\n", b"2\ndrop\n"])
    list(reader.tables(None))
    assert reader.examined == [1, 2]


def test_columns_that_no_type_holds_are_left_out():
    reader = Lengths([])
    reader.kinds = {"n": INTEGER, "d": OTHER}
    assert reader._types() == {"n": pa.int64()}
