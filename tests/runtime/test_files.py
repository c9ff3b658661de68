import errno
import zlib

import pytest

from pipeline.errors import BadInput
from pipeline.runtime import files


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "kept.txt"
    files.write_beside(path, lambda file: file.write(b"old"))

    def fails(file):
        file.write(b"half of the n")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        files.write_beside(path, fails)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_everything_generated_moves_with_one_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "elsewhere"))
    assert files.mlruns() == tmp_path / "elsewhere"
    assert files.cache("models").is_relative_to(tmp_path / "elsewhere")
    monkeypatch.delenv("BATCHSCOPE_MLRUNS")
    assert (files.mlruns().parent / "pyproject.toml").exists()


@pytest.mark.parametrize("name", ["file", "file/below/it", "loop", "loop/below", "n" * 300, "a/" * 3000])
def test_what_can_be_no_folder_is_refused_in_one_line_and_nothing_is_made(tmp_path, monkeypatch, name):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "pool")
    (tmp_path / "pool").symlink_to(tmp_path / "loop")
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / name))
    with pytest.raises(
        BadInput, match=r"BATCHSCOPE_MLRUNS must be a folder, or one that can be made; found "
    ) as refused:
        files.check()
    assert len(str(refused.value)) < 400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop", "pool"]


def test_a_folder_that_does_not_exist_yet_and_one_that_does_are_allowed(tmp_path, monkeypatch):
    for name in ("new/er", ""):
        monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / name))
        files.check()
    assert list(tmp_path.iterdir()) == []


def test_a_place_in_which_the_system_makes_no_folder_is_said_to_be_not_writable(monkeypatch, tmp_path):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", "/proc/x")
    with pytest.raises(OSError, match="No such file") as refused:
        files.write_beside(files.mlruns() / "a", lambda file: file.write(b"a"))
    assert files.is_unwritable(refused.value)
    assert "let BATCHSCOPE_MLRUNS name another folder" in str(files.unwritable(refused.value))
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    assert not files.is_unwritable(FileNotFoundError(errno.ENOENT, "gone", str(tmp_path / "a")))


def test_the_checksum_of_a_file_is_zlibs_of_its_content(tmp_path):
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    assert files.checksum(tmp_path / "a") == zlib.crc32(content)


def test_a_folder_in_a_files_place_is_one_line_and_stays(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(BadInput, match=r"a must be a file; found a folder in its place: move it away"):
        files.write_beside(tmp_path / "a", lambda file: file.write(b"x"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_made_anywhere_above_is_unwritable(monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", "/proc/nowhere/mlruns")
    for name in ("/proc/nowhere", "/proc/nowhere/mlruns", "/proc/nowhere/mlruns/cache"):
        assert files.is_unwritable(FileNotFoundError(errno.ENOENT, "No such file or directory", name))
    assert not files.is_unwritable(FileNotFoundError(errno.ENOENT, "No such file or directory", "/other"))
