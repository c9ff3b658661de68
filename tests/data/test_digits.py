"""The digits: all of scikit-learn's rows, in a split that never changes."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from pipeline.data import digits
from pipeline.data.digits import Digits, split_rows


def test_the_rows_are_scikit_learns_own():
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    for split in ("train", "test"):
        rows, found = split_rows(split), Digits().load_split(split)
        np.testing.assert_array_equal(found.inputs, pixels[rows])
        np.testing.assert_array_equal(found.labels, labels[rows])


def test_the_two_splits_share_no_row_and_make_up_all():
    train, test = split_rows("train"), split_rows("test")
    assert (len(train), len(test)) == (797, 1000)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(1797))


def test_every_class_makes_up_a_tenth_of_both_splits_about():
    for split, n in (("train", 797), ("test", 1000)):
        counts = np.bincount(Digits().load_split(split).labels, minlength=10)
        assert np.all(np.abs(counts / n - 0.1) < 0.02)


@pytest.mark.parametrize(
    ("split", "digest"),
    [
        ("train", "526a83f95f016ae8bf1f68e8817d23e6b04236891d5a941831f5705bc21f21a1"),
        ("test", "7cc9b289bd0f2042d6bf534f20bdd7434887c46d6740be8ad4e25509dc1019a5"),
    ],
)
def test_the_split_never_changes(split, digest):
    assert Digits().load_split(split).digest == digest


def test_pixels_are_whole_numbers_up_to_16_and_scaled_to_1():
    found = Digits().load()
    assert found.inputs.dtype == np.uint8
    assert found.inputs.max() == 16
    assert found.scale == 1 / 16
    assert Digits(normalize=False).load().scale == 1


def test_where_scikit_learn_keeps_its_file_elsewhere_the_public_function_gives_the_same(monkeypatch):
    wanted = Digits().load().digest
    monkeypatch.setattr(digits, "CSV_SHA256", "0" * 64)
    assert Digits().load().digest == wanted
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert Digits().load().digest == wanted


def test_loading_does_not_import_scikit_learn():
    code = "import sys; from pipeline.data.digits import Digits; Digits().load(); print('sklearn' in sys.modules)"
    root = digits.__file__.rpartition("pipeline")[0]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"
