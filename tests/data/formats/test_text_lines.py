import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.data.formats import text_lines
from pipeline.data.formats.locations import Location
from pipeline.data.formats.text_lines import Piece, pieces_of
from pipeline.errors import BadInput

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=9))


def whole(text):
    """The lines of a text as Python has them, without empty ones at the end."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    while lines and not lines[-1].strip("\r"):
        lines.pop()
    return lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.integers(3, 30), st.booleans(), st.sampled_from(["", "\ufeff"]))
def test_lines_and_numbers_are_those_of_the_whole_text(tmp_path, lines, end, size, is_packed, mark):
    text = mark + end.join(lines)
    path = tmp_path / ("a.csv.gz" if is_packed else "a.csv")
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_PIECE", size)
        pieces = list(pieces_of(Location(str(path))))
    found = [numbered for piece in pieces for numbered in piece.lines()]
    assert found == list(enumerate(whole(text), 1))
    assert [piece.n_lines for piece in pieces] == [len(list(piece.lines())) for piece in pieces]


def test_a_piece_names_its_lines():
    assert Piece(b"a\nb\nc\n", 1999).where == "lines 1,999 to 2,001"


def test_a_packed_file_that_is_cut_off_is_named_with_the_last_whole_line(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "_PIECE", 100)
    content = gzip.compress("".join(f"{i}\n" for i in range(20_000)).encode())
    (tmp_path / "a.csv.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match=r"a\.csv\.gz must be a whole file; found after line [\d,]{4,}: .*: get it ag"):
        list(pieces_of(Location(str(tmp_path / "a.csv.gz"))))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"none\.csv must be a file that can be read; found: .*: check the path"):
        list(pieces_of(Location(str(tmp_path / "none.csv"))))


def test_the_line_of_a_wrong_byte_is_counted_over_all_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "_PIECE", 64)
    (tmp_path / "a.csv").write_bytes(b"1\n" * 500 + b"\xff\n")
    with pytest.raises(BadInput, match=r"must be UTF-8 text; found other bytes in line 501: save it as UTF-8"):
        list(pieces_of(Location(str(tmp_path / "a.csv"))))
