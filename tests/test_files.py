import pytest

from pipeline import files


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
