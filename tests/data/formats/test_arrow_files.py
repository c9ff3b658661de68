"""What Parquet and Arrow files have in common."""

import numpy as np
import pytest

from pipeline.data.formats.arrow_files import refusing_damage
from pipeline.data.formats.locations import Location, OutOfReach
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput
from tests import written as tables

FOLDERS = {"parquet": tables.parquet, "arrow": tables.arrow_file}


@pytest.fixture(params=list(FOLDERS))
def folder(request, tmp_path):
    """A function that writes tables as the files a, b, … of one format into a folder."""

    def write(*parts):
        (tmp_path / "rows").mkdir()
        for name, part in zip("abc", parts, strict=False):
            FOLDERS[request.param](tmp_path / "rows" / f"{name}.{request.param}", part, rows=4)
        return tmp_path / "rows"

    return write


def columns(n, start=0):
    numbers = np.arange(start, start + n)
    return {"n": numbers, "l": np.stack([numbers, -numbers], axis=1).astype(np.float32)}


def test_files_of_a_folder_are_one_table_whose_rows_are_named_by_file(folder):
    path = folder(columns(10), columns(6, 10))
    source = open_table(str(path))
    assert source.bounds[[0, -1]].tolist() == [0, 16]
    assert source.column("n").tolist() == list(range(16))
    np.testing.assert_array_equal(source.column("l")[:, 1], -np.arange(16))
    suffix = next(path.iterdir()).suffix
    assert source.where(9) == f"row 9 of {path}/a{suffix}"
    assert source.where(10) == f"row 0 of {path}/b{suffix}"


def test_a_shard_has_the_same_content_wherever_its_file_lies(folder, tmp_path):
    path = folder(columns(10), columns(6, 10))
    (first, *_), contents = sorted(path.iterdir()), open_table(str(path)).contents
    (tmp_path / "alone").mkdir()
    first.rename(tmp_path / "alone" / first.name)
    alone = open_table(str(tmp_path / "alone")).contents
    assert contents[: len(alone)] == alone
    assert len(set(contents)) == len(contents)


def test_a_file_with_other_columns_is_refused_by_name(folder):
    path = folder(columns(4), {"n": np.arange(4.0), "l": columns(4)["l"]})
    with pytest.raises(BadInput, match=r"b\.\w+ must have the columns of a\.\w+; found the column 'n' of type double"):
        open_table(str(path))


def test_a_damaged_file_is_refused_and_a_file_out_of_reach_is_told_apart(tmp_path):
    place, remote = Location(str(tmp_path / "a.parquet")), Location("b/a.parquet", "s3://b/a.parquet")
    says = r"a\.parquet must be a whole Parquet file; found in row group 3: torn: write it again"
    with pytest.raises(BadInput, match=says), refusing_damage(place, "Parquet", " in row group 3"):
        raise OSError("torn")
    with pytest.raises(OutOfReach, match="no answer"), refusing_damage(remote, "Parquet"):
        raise OutOfReach("no answer")
    with pytest.raises(PermissionError), refusing_damage(place, "Arrow"):
        raise PermissionError(13, "Permission denied")
    with pytest.raises(BadInput, match=r"^as it is$"), refusing_damage(place, "Arrow"):
        raise BadInput("as it is")
