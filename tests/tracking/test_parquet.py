"""A Parquet file is read as pandas reads it, or refused before its declared size is allocated."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import BadInput
from pipeline.tracking import parquet


@pytest.fixture
def frame():
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {"draw": np.arange(50), "loss": rng.random(50), "is_hit": rng.random(50) < 0.5, "group": ["a", "ü"] * 25}
    )


def test_a_table_is_what_pandas_reads_to_the_last_bit(frame, tmp_path):
    frame.to_parquet(tmp_path / "a.parquet")
    found = parquet.read(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "a.parquet"), check_exact=True)
    pd.testing.assert_frame_equal(found, frame, check_exact=True, check_dtype=False)


@pytest.mark.parametrize("rows_of_a_group", [50, 7])
def test_names_of_categories_are_read_as_pandas_reads_them(frame, tmp_path, rows_of_a_group):
    names = pd.Index(["cat", "dog", "ü"])
    frame["label"] = pd.Categorical.from_codes(np.arange(50) // 20, categories=names)
    frame["predicted"] = pd.Categorical.from_codes(np.zeros(50, dtype=int), categories=names)
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=rows_of_a_group)
    found = parquet.read(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "a.parquet"), check_exact=True)
    assert found["label"].tolist() == frame["label"].tolist()
    assert isinstance(found["label"].dtype, pd.CategoricalDtype)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="must be a Parquet file; found no file"):
        parquet.read(tmp_path / "a.parquet")


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_a_file_that_was_cut_off_is_refused(frame, tmp_path, keep):
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BadInput, match="must be a whole Parquet file"):
        parquet.read(path)


def test_a_flipped_bit_in_the_values_is_found(frame, tmp_path):
    path = tmp_path / "a.parquet"
    frame.to_parquet(path, write_page_checksum=True, compression="none")
    content = bytearray(path.read_bytes())
    at = content.index(frame["loss"].to_numpy()[:4].tobytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInput, match="must be a whole Parquet file"):
        parquet.read(path)


def test_nested_columns_are_refused(tmp_path):
    pd.DataFrame({"a": [[1], [2]]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="must hold numbers, truth values and text; found list"):
        parquet.read(tmp_path / "a.parquet")


@pytest.mark.parametrize("frame", [{"a": np.zeros(1000)}, {"a": ["x" * 1000] * 20}], ids=["rows", "text"])
def test_more_than_the_limit_is_refused_by_what_the_file_declares(tmp_path, monkeypatch, frame):
    pd.DataFrame(frame).to_parquet(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 7999
    monkeypatch.setattr(parquet, "MOST_BYTES", 7999)
    with pytest.raises(BadInput, match="must take at most 7,999 bytes"):
        parquet.read(tmp_path / "a.parquet")
