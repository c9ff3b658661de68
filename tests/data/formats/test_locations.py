"""Files here and in stores: which there are, how they are named, what changes and what cannot be reached."""

import errno
import hashlib
import os

import pytest

from pipeline.data.formats import locations
from pipeline.data.formats.locations import Location, OutOfReach, is_remote, locations_of, path_of
from pipeline.errors import BadInput

SECRET = "s3://KEY:SECRET@bucket/rows.parquet?secret_key=OTHER&endpoint_override=localhost:9000"


@pytest.fixture
def folder(tmp_path):
    """Two tables, one in a folder below, and files that are none."""
    (tmp_path / "below").mkdir()
    for name in ("b.csv", "below/a.csv", "_SUCCESS", ".hidden.csv", "_part.csv", "notes.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_the_files_of_a_folder_are_those_with_the_ending_by_name(folder):
    found = locations_of(str(folder), (".csv",))
    assert [location.path for location in found] == [str(folder / "b.csv"), str(folder / "below/a.csv")]
    assert [location.name for location in found] == ["b.csv", "a.csv"]


def test_a_file_is_itself_whatever_its_ending(folder):
    assert locations_of(str(folder / "notes.txt"), (".csv",)) == [Location(str(folder / "notes.txt"))]


def test_a_folder_named_by_an_address_has_the_same_files(folder):
    here, there = (locations_of(path, (".csv",)) for path in (str(folder), f"file://{folder}"))
    assert [location.path for location in there] == [location.path for location in here]
    assert [str(location) for location in there] == [f"file://{location.path.lstrip('/')}" for location in here]
    for one, other in zip(here, there, strict=True):
        with one.opened() as file, other.opened() as same:
            assert file.read() == same.read()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("{}/none.csv", r"^data\.path must name a file or a folder; found none at .*none\.csv: check the path"),
        ("{}/below", r"must hold files ending in \.pq; found none: check the folder"),
        ("file://{}/none.csv", r"^data\.path must name a file or a folder with \.pq; found none at file://.*none\.csv"),
    ],
)
def test_what_is_not_there_is_refused(folder, path, says):
    with pytest.raises(BadInput, match=says):
        locations_of(path.format(folder), (".pq",))


def test_the_digest_is_that_of_the_content(folder):
    path = folder / "b.csv"
    assert Location(str(path)).digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digest_of_a_large_file_is_made_once_and_again_when_it_changes(folder, cache, monkeypatch):
    monkeypatch.setattr(locations, "_SMALL", 0)
    hashed = []
    real = locations.files.file_digest
    monkeypatch.setattr(locations.files, "file_digest", lambda path: hashed.append(path) or real(path))
    path = folder / "b.csv"
    first = [Location(str(path)).digest for _ in range(3)]
    assert len(hashed) == 1
    path.write_text("other rows")
    assert Location(str(path)).digest not in first
    assert len(hashed) == 2


def test_a_file_that_changes_while_it_is_read_is_refused(folder):
    location = Location(str(folder / "b.csv"))
    location.check()
    location.check()
    (folder / "b.csv").write_text("longer than before")
    for reading in (location.check, location.opened, lambda: location.digest):
        with pytest.raises(
            BadInput, match=r"b\.csv must stay as it is while it is read; found it changed: start again"
        ):
            reading()


def test_a_message_shows_no_secret_of_an_address():
    assert path_of(SECRET) == "s3://bucket/rows.parquet"
    assert str(Location("bucket/rows.parquet", SECRET)) == "s3://bucket/rows.parquet"
    refused = pytest.raises(OutOfReach, match=r"^s3://bucket/rows\.parquet is out of reach: ")
    with refused as said, locations._raising_out_of_reach(SECRET):
        raise RuntimeError(f"no answer to {SECRET} for KEY with SECRET and OTHER")
    assert not {word for word in ("KEY", "SECRET", "OTHER", "endpoint") if word in str(said.value)}
    assert said.value.__cause__ is None


def test_what_refuses_an_input_is_no_failure_of_the_store():
    with pytest.raises(BadInput, match=r"^wrong rows$"), locations._raising_out_of_reach(SECRET):
        raise BadInput("wrong rows")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://a/b", True),
        ("gs+x.1-y://a", True),
        ("/a/b", False),
        ("C:/rows", False),
        ("a://b", True),
        ("S3://a", False),
    ],
)
def test_an_address_begins_with_a_scheme(path, expected):
    assert is_remote(path) is expected
    assert expected or path_of(path) == path


def test_out_of_reach_is_told_from_damaged():
    here, there = Location("/rows"), Location("rows", "s3://rows")
    assert here.is_out_of_reach(OSError(errno.EIO, os.strerror(errno.EIO)))
    assert not here.is_out_of_reach(OSError("not a Parquet file"))
    assert not here.is_out_of_reach(ValueError("not a Parquet file"))
    assert there.is_out_of_reach(OutOfReach("gone"))
    assert not there.is_out_of_reach(OSError(errno.EIO, "damaged"))
