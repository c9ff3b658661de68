"""Fashion-MNIST: known by the MD5 of its gzip files, and not to be mistaken for MNIST."""

import gzip

import pytest

from pipeline.data.fashion_mnist import FashionMnist
from pipeline.errors import BadInput


def test_mnists_files_under_the_same_names_are_refused(mnist_root):
    with pytest.raises(BadInput, match=r"must have the MD5 bef4ecab320f06d8554ea6380940ec79; found"):
        FashionMnist(root=str(mnist_root), split="test").load()


def test_unpacked_files_are_checked_for_soundness_alone(tmp_path, small_arrays, idx_bytes):
    for stem, array in small_arrays.items():
        (tmp_path / stem).write_bytes(idx_bytes(array))
    assert len(FashionMnist(root=str(tmp_path)).load()) == 30
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(BadInput, match=r"found nothing"):
        FashionMnist(root=str(tmp_path)).load()


def test_an_unknown_gzip_file_is_refused(small_root):
    assert gzip.decompress((small_root / "t10k-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(BadInput, match=r"must have the MD5 8d4fb7e6c68d591d4c3dfef9ec88bf0d"):
        FashionMnist(root=str(small_root)).load()
