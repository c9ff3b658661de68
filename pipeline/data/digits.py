"""scikit-learn's 1,797 real handwritten digits of 8×8 pixels; nothing to download."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.assemble import assemble
from pipeline.data.base import Data, check_split
from pipeline.records import Dataset

N_TEST = 1000
BRIGHTEST = 16
CSV_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


@dataclass
class Digits(Data):
    """The digits, 797 to train on and 1,000 to test on, chosen once at random and fixed.

    The test split is the larger one so that a sweep of the batch size up to 1,000 ends with the whole population.
    Pixels are whole numbers 0 … 16; normalised, they are multiplied by 1/16.
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
        table = _table()
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
    # RandomState, because its stream is frozen for good (NEP 19); that of a Generator may change with NumPy.
    shuffled = np.random.RandomState(20261123).permutation(size)
    return np.sort(shuffled[:N_TEST] if split == "test" else shuffled[N_TEST:])


def _table() -> NDArray[np.uint8]:
    """All rows: 64 pixels and the label, shape (1797, 65)."""
    # Importing sklearn.datasets takes seconds, reading its file takes milliseconds. The file's place is no promise of
    # scikit-learn's, so anything but the very content that is known falls back to the public function.
    found = importlib.util.find_spec("sklearn")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        content = gzip.decompress(path.read_bytes()) if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == CSV_SHA256:
            return np.loadtxt(content.decode("ascii").splitlines(), delimiter=",", dtype=np.uint8)
    return _table_by_scikit_learn()


def _table_by_scikit_learn() -> NDArray[np.uint8]:
    """The same table by the public function."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return np.column_stack([pixels, labels]).astype(np.uint8)
