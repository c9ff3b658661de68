"""MNIST: the original content, by its published hashes."""

import gzip
import shutil

import numpy as np
import pytest

from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput


def test_the_shapes_are_the_lessons(mnist_root):
    train = Mnist(root=str(mnist_root)).load()
    assert train.inputs.shape == (60000, 784)
    assert train.inputs.dtype == np.uint8
    assert train.labels.shape == (60000,)
    assert train.inputs.nbytes == 47_040_000
    # The first label, a five, and the count of each class  [LeCun's page; torchvision's documentation].
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert Mnist(root=str(mnist_root), split="test").load().inputs.shape == (10000, 784)


def test_one_hot_labels_have_ten_columns(mnist_root):
    integer = Mnist(root=str(mnist_root), split="test").load()
    rows = Mnist(root=str(mnist_root), split="test", one_hot=True).load()
    assert rows.labels.shape == (10000, 10)
    np.testing.assert_array_equal(rows.labels.argmax(axis=1), integer.labels)
    assert rows.digest == integer.digest


@pytest.fixture
def test_files(mnist_root, tmp_path):
    """A folder with copies of the two test files."""
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        shutil.copy(mnist_root / name, tmp_path / name)
        (tmp_path / name).chmod(0o644)
    return tmp_path


def test_compressing_again_or_unpacking_does_no_harm(test_files):
    wanted = Mnist(root=str(test_files), split="test").load().digest
    images = test_files / "t10k-images-idx3-ubyte.gz"
    content = gzip.decompress(images.read_bytes())
    images.write_bytes(gzip.compress(content, compresslevel=1))
    assert Mnist(root=str(test_files), split="test").load().digest == wanted
    images.unlink()
    images.with_suffix("").write_bytes(content)
    assert Mnist(root=str(test_files), split="test").load().digest == wanted


def test_one_altered_pixel_is_refused(test_files):
    images = test_files / "t10k-images-idx3-ubyte.gz"
    content = bytearray(gzip.decompress(images.read_bytes()))
    content[5000] ^= 1
    images.write_bytes(gzip.compress(content, compresslevel=1))
    with pytest.raises(BadInput, match=r"t10k-images-idx3-ubyte.gz must have the content SHA-256 0fa7898d.*; found "):
        Mnist(root=str(test_files), split="test").load()
    assert len(Mnist(root=str(test_files), split="test", verify=False).load()) == 10000


def test_a_mirror_of_the_original_files_is_taken(mnist_root, mirror, cache):
    import hashlib

    names = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    served = {name: (mnist_root / name).read_bytes() for name in names}
    for name, content in served.items():
        if hashlib.md5(content).hexdigest() != Mnist.KNOWN[name.removesuffix(".gz")].gzip_md5:
            pytest.skip(f"{name} here was compressed again, so it is not the file that mirrors serve")
    found = Mnist(split="test", mirrors=[mirror(served).url]).load()
    assert found.digest == Mnist(split="test", root=str(mnist_root)).load().digest
