"""A user's own arrays: x (the inputs) and t (the labels) in an npz file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import read_arrays
from pipeline.data.assemble import assemble
from pipeline.data.base import Data, check_split
from pipeline.data.labels import check_range, classes_of, rows_to_labels
from pipeline.errors import BadInput
from pipeline.records import Dataset


@dataclass
class Npz(Data):
    """Arrays of any width and number of classes.

    ``x``: real numbers, shape (N, d) or (N, …), flattened to (N, d). ``uint8`` stays 8-bit and is multiplied by 1/255
    when normalised; everything else is taken as it is, as ``float32`` (bool as 8-bit).
    ``t``: integer labels, shape (N,) or (N, 1), or rows of label probabilities, shape (N, k): one-hot or soft.

    Attributes
    ----------
    path : str or None
        The file of the test split; must be given unless the population is the train split.
    train_path : str or None
        The file of the train split, which model=mlp trains on.
    n_classes : int or None
        The number of classes k, at least 2. None: the width of ``t``, or its largest label plus 1.
    max_bytes : int
        What ``x`` and ``t`` of one file may unpack to, and what one-hot rows may take.
    """

    name: str = "npz"
    path: str | None = None
    train_path: str | None = None
    n_classes: int | None = None
    max_bytes: int = 1 << 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path and not (self.split == "train" and self.train_path):
            raise BadInput("data.path must name an npz file with arrays x and t; found none: pass data.path=FILE")
        self.path, self.train_path = (named and files.absolute(named) for named in (self.path, self.train_path))
        if self.n_classes is not None and self.n_classes < 2:
            raise BadInput(
                f"data.n_classes must be at least 2, or null to see it from the labels; found {self.n_classes}"
            )
        if self.max_bytes < 1:
            raise BadInput(f"data.max_bytes must be at least 1; found {self.max_bytes}")

    def load_split(self, split: str) -> Dataset:
        """Load one of the two files.

        Parameters
        ----------
        split : str
            ``test``: the file `path`; ``train``: the file `train_path`.

        Returns
        -------
        Dataset
            Inputs ``uint8`` or ``float32`` of shape (N, d). Soft labels stay rows even without `one_hot`.

        Raises
        ------
        BadInput
            If the file is not named, cannot be read, or its arrays are not what they must be.
        """
        check_split(split)
        path = self._file(split)
        arrays = read_arrays(path, ("x", "t"), max_bytes=self.max_bytes)
        stored, t = arrays["x"], arrays["t"]
        _check_shapes(stored, t, path)
        labels = _labels(t, source=f"the labels t of {path}")
        n_classes = self._n_classes(labels, t, path)
        return assemble(
            _inputs(stored, source=f"the inputs x of {path}"),
            labels,
            n_classes=n_classes,
            as_one_hot=self.one_hot,
            scale=1 / 255 if self.normalize and stored.dtype == np.uint8 else 1.0,
            name=f"{path.name} {split}",
        )

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return an array of the split's file, shape (N,) or (N, 1)."""
        path = self._file(split)
        try:
            column = read_arrays(path, (name,), max_bytes=self.max_bytes)[name]
        except BadInput as error:
            raise BadInput(f"{key}={name} must be an array of {path}; {error}") from error
        return column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column

    def _file(self, split: str) -> Path:
        """The file of a split."""
        named = self.path if split == "test" else self.train_path
        if named:
            return Path(named)
        if split == "test":
            raise BadInput("data.path must name the npz file of the test split; found none: pass data.path=FILE")
        raise BadInput(
            "data.train_path must name the npz file that model=mlp trains on (never data.path); found none: "
            "pass data.train_path=FILE, or choose model=npz with weights of your own"
        )

    def _n_classes(self, labels: NDArray[Any], t: NDArray[Any], path: Path) -> int:
        """The number of classes, as configured or as seen."""
        source = f"the labels t of {path}"
        width = t.shape[1] if t.ndim == 2 and t.shape[1] > 1 else None
        if width is not None and self.n_classes not in (None, width):
            raise BadInput(
                f"{source} must be as wide as data.n_classes={self.n_classes}; found {width} columns: "
                "leave data.n_classes out"
            )
        n_classes = self.n_classes or width or int(labels.max()) + 1
        if n_classes < 2:
            raise BadInput(f"{source} must tell at least 2 classes apart; found class 0 alone: set data.n_classes")
        if labels.ndim == 1:
            check_range(labels, n_classes, source=source)
        if self.one_hot and 4 * n_classes * len(labels) > self.max_bytes:
            raise BadInput(
                f"one-hot labels must take at most data.max_bytes={self.max_bytes:,}; found {len(labels):,} rows of "
                f"{n_classes:,} classes: use data.one_hot=false"
            )
        return n_classes


def _check_shapes(x: NDArray[Any], t: NDArray[Any], path: Path) -> None:
    """Refuse arrays that are no N rows of inputs and N labels."""
    if x.ndim < 2 or math.prod(x.shape[1:]) == 0:
        raise BadInput(f"x of {path} must have the shape (N, d), d at least 1; found {x.shape}: reshape it")
    if t.ndim not in (1, 2) or (t.ndim == 2 and t.shape[1] == 0):
        raise BadInput(f"t of {path} must have the shape (N,) or (N, k); found {t.shape}: reshape it")
    if len(x) != len(t):
        raise BadInput(
            f"x and t of {path} must have the same length; found {len(x):,} rows of x and {len(t):,} of t: "
            "save arrays that belong together"
        )
    if len(x) == 0:
        raise BadInput(f"x and t of {path} must hold at least one row; found none: save arrays with rows")


def _labels(t: NDArray[Any], *, source: str) -> NDArray[Any]:
    """Integer classes, or soft rows."""
    if t.ndim == 2 and t.shape[1] > 1:
        return rows_to_labels(t, source=source)
    return classes_of(t.reshape(len(t)), source=source)


def _inputs(x: NDArray[Any], *, source: str) -> NDArray[Any]:
    """Rows as they are kept: 8-bit, or finite ``float32``."""
    rows = x.reshape(len(x), -1)
    if rows.dtype.kind == "b" or rows.dtype == np.uint8:
        return rows.astype(np.uint8, copy=False)
    # A value too large for float32 becomes infinite, and is refused below, as is a signalling NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        rows = rows.astype(np.float32, copy=False)
    # The extremes carry a NaN or an infinity along, and take no memory.
    if not (np.isfinite(rows.min()) and np.isfinite(rows.max())):
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise BadInput(
            f"{source} must hold finite numbers (in float32); found {rows[row, column]} in row {row:,}, "
            f"column {column:,}: mend or remove that row"
        )
    return rows
