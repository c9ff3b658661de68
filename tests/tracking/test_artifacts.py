"""A run is complete only if every listed file is there with its size."""

import json
import time
import zlib

import pytest

from pipeline.errors import BadInput
from pipeline.tracking.artifacts import is_complete, listed, local_folder, shown_folder


@pytest.fixture
def run(tmp_path):
    """The address of a run's artifacts, one file of five bytes, and the tags that list it."""
    folder = tmp_path / "a b" / "id" / "artifacts"
    folder.mkdir(parents=True)
    (folder / "table.txt").write_bytes(b"12345")
    return folder, folder.as_uri(), {"artifacts": json.dumps({"table.txt": 5})}


def test_a_file_address_is_a_folder_and_a_servers_is_none(run):
    folder, uri, _ = run
    assert local_folder(uri) == folder
    assert local_folder("mlflow-artifacts:/1/id/artifacts") is None


def test_a_folder_below_the_working_directory_is_shown_relative_to_it(run, tmp_path, monkeypatch):
    folder, uri, _ = run
    monkeypatch.chdir(tmp_path)
    assert shown_folder(uri) == "a b/id/artifacts"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert shown_folder(uri) == str(folder)
    assert shown_folder("mlflow-artifacts:/1/id/artifacts") == ""


@pytest.mark.parametrize(
    ("content", "expected"), [(b"12345", True), (b"1234", False), (b"", False), (None, False)], ids=repr
)
def test_a_file_of_another_size_or_none_is_not_complete(run, content, expected):
    folder, uri, tags = run
    (folder / "table.txt").unlink()
    if content is not None:
        (folder / "table.txt").write_bytes(content)
    assert is_complete(uri, tags) is expected


def test_a_run_that_lists_nothing_and_a_run_on_a_server_count_as_complete(run):
    assert is_complete(run[1], {})
    assert is_complete("mlflow-artifacts:/1/id/artifacts", run[2])


def test_a_folder_out_of_reach_is_refused_because_nothing_can_be_said_of_its_files(tmp_path):
    with pytest.raises(BadInput, match=r"must be within reach; found no folder .*gone: mount it"):
        is_complete((tmp_path / "gone" / "id" / "artifacts").as_uri(), {})


def test_a_flipped_bit_and_an_unreadable_file_are_not_complete(run):
    folder, uri, _ = run
    tags = {"artifacts": listed(folder, most=5000)}
    assert is_complete(uri, tags)
    (folder / "table.txt").write_bytes(b"12344")
    assert not is_complete(uri, tags)
    (folder / "table.txt").unlink()
    (folder / "table.txt").symlink_to("/proc/self/mem")
    assert not is_complete(uri, {"artifacts": json.dumps({"table.txt": [0, 0]})})


def test_the_list_stays_within_the_characters_of_a_tag_and_tables_are_the_last_to_go(tmp_path):
    (tmp_path / "draws.parquet").write_bytes(b"1")
    for number in range(100):
        (tmp_path / f"picture-{number}.png").write_bytes(b"12")
    whole = json.loads(listed(tmp_path, most=5000))
    assert whole["draws.parquet"] == [1, zlib.crc32(b"1")]
    assert len(whole) == 101
    sizes = listed(tmp_path, most=3000)
    assert len(sizes) <= 3000
    assert json.loads(sizes)["picture-7.png"] == 2
    assert json.loads(listed(tmp_path, most=1000)) == {"draws.parquet": 1}
    assert is_complete((tmp_path / "id" / "artifacts").as_uri(), {"artifacts": sizes[:-5]})


def test_the_files_of_a_thousand_cells_are_checked_in_seconds(tmp_path):
    (tmp_path / "draws.parquet").write_bytes(bytes(40_000))
    tags, uri = {"artifacts": listed(tmp_path, most=5000)}, tmp_path.as_uri()
    # Of this process alone: the machine may be busy.
    started = time.process_time()
    assert all(is_complete(uri, tags) for _ in range(1000))
    assert time.process_time() - started < 5
