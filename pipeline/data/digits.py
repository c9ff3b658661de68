"""scikit-learn's 1,797 real handwritten digits of 8×8 pixels; nothing to download."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..records.rows import Dataset
from .assemble import assemble
from .base import Data, check_split

N_TEST = 1000
BRIGHTEST = 16
CSV_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


@dataclass
class Digits(Data):
    """The digits: 797 to train on and 1,000 to test on, by a random split that is fixed.

    The test split is the larger one so that a sweep of the batch size up to 1,000 ends with the whole population.
    Pixels are whole numbers 0 … 16. When normalised, they are multiplied by 1/16.
    """

    name: str = "digits"

    def load_split(self, split: str) -> Dataset:
        """Load the rows of one split, in scikit-learn's order.

        Parameters
        ----------
        split : str
            ``train`` (797 rows) or ``test`` (1,000 rows).

        Returns
        -------
        Dataset
            Inputs ``uint8`` of shape (N, 64).
        """
        check_split(split)
        table = _pixels_and_labels()
        rows = split_rows(split, len(table))
        return assemble(
            table[rows, :-1],
            table[rows, -1].astype(np.int64),
            n_classes=10,
            as_one_hot=self.one_hot,
            scale=1 / BRIGHTEST if self.normalize else 1.0,
            name=f"{self.name} {split}",
        )


def split_rows(split: str, size: int = 1797) -> NDArray[np.intp]:
    """Return which of scikit-learn's rows make up a split, in increasing order."""
    # RandomState, because its stream never changes (NEP 19); that of a Generator may change with NumPy's version.
    shuffled = np.random.RandomState(20261123).permutation(size)
    return np.sort(shuffled[:N_TEST] if split == "test" else shuffled[N_TEST:])


def _pixels_and_labels() -> NDArray[np.uint8]:
    """Return all rows, 64 pixels and the label each, shape (1797, 65)."""
    # Importing sklearn.datasets takes seconds; reading its file takes milliseconds. scikit-learn does not promise where
    # the file is, so the public function is used unless the content has the known hash.
    found = importlib.util.find_spec("sklearn")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        content = gzip.decompress(path.read_bytes()) if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == CSV_SHA256:
            return np.loadtxt(content.decode("ascii").splitlines(), delimiter=",", dtype=np.uint8)
    return _pixels_and_labels_by_scikit_learn()


def _pixels_and_labels_by_scikit_learn() -> NDArray[np.uint8]:
    """Return the same table through scikit-learn's public function."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return np.column_stack([pixels, labels]).astype(np.uint8)
