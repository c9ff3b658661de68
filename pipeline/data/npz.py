"""The user's own arrays in an npz file: x (the inputs) and t (the labels)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, brief
from ..records.rows import Dataset
from ..runtime import files
from .assemble import assemble
from .base import Data, check_split
from .class_names import are_text, check_number_of_names, class_numbers, found_names, given_names
from .formats.array_table import decoded
from .formats.npz_arrays import REAL_KINDS, TEXT_KINDS, read_arrays
from .inputs import finite_float32
from .labels import check_range, classes_of, rows_to_labels


@dataclass
class Npz(Data):
    """The arrays x and t of an npz file, with any number of inputs and classes.

    ``x``: real numbers, shape (N, d) or (N, …), flattened to (N, d). ``uint8`` stays 8-bit and is multiplied by 1/255
    when normalised; bool becomes 8-bit; all other types become ``float32``, unscaled.
    ``t``: integer labels or names of classes, shape (N,) or (N, 1), or rows of label probabilities, shape (N, k),
    one-hot or not.

    Attributes
    ----------
    path : str or None
        The file of the test split. It must be given unless the population is the train split.
    train_path : str or None
        The file of the train split, which model=mlp trains on.
    classes : list of str, str or None
        The names of the classes 0 … k - 1, in order: a list, or the path of a .json or .txt file. None takes the texts
        of ``t`` in both splits' files, in sorted order; numbers have no names.
    n_classes : int or None
        The number of classes k, at least 2. None: that of the names; else the width of ``t``, or its largest label
        plus 1.
    max_bytes : int
        A limit in bytes on the unpacked size of ``x`` and ``t`` of one file, and on the size of one-hot rows.
    """

    name: str = "npz"
    path: str | None = None
    train_path: str | None = None
    classes: Any = None
    n_classes: int | None = None
    max_bytes: int = 1 << 30

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path and not (self.split == "train" and self.train_path):
            raise BadInput("data.path must name an npz file with arrays x and t; found none: pass data.path=FILE")
        self.path, self.train_path = (named and files.absolute(named) for named in (self.path, self.train_path))
        if self.n_classes is not None and self.n_classes < 2:
            raise BadInput(
                f"data.n_classes must be at least 2, or null to see it from the labels; found {self.n_classes}"
            )
        self.classes = given_names(self.classes)
        check_number_of_names(self.classes, self.n_classes)
        if self.max_bytes < 1:
            raise BadInput(f"data.max_bytes must be at least 1; found {self.max_bytes}")

    def load_split(self, split: str) -> Dataset:
        """Load the rows of one split.

        Parameters
        ----------
        split : str
            ``test``: the file `path`; ``train``: the file `train_path`.

        Returns
        -------
        Dataset
            Inputs ``uint8`` or ``float32`` of shape (N, d). Rows of labels that are not one-hot stay rows.

        Raises
        ------
        BadInput
            If the file is not named or cannot be read, or its arrays are not valid.
        """
        check_split(split)
        path = self._file(split)
        arrays = read_arrays(path, ("x", "t"), max_bytes=self.max_bytes, kinds=REAL_KINDS + TEXT_KINDS)
        stored, t = arrays["x"], arrays["t"]
        _check_shapes(stored, t, path)
        names = self.classes if not are_text(t) or self.classes is not None else self._found_names()
        labels = _labels(t, names, source=f"the labels t of {path}")
        made = assemble(
            _inputs(stored, source=f"the inputs x of {path}"),
            labels,
            n_classes=self._n_classes(labels, t, names, path),
            as_one_hot=self.one_hot,
            scale=1 / 255 if self.normalize and stored.dtype == np.uint8 else 1.0,
            name=f"{path.name} {split}",
        )
        if names is None:
            return made
        return replace(made, class_names=tuple(names), digest=files.digest_of(made.digest, names))

    @property
    def has_sorted_names(self) -> bool:
        """Whether the names of the classes were found in the labels, so that their order is that of the alphabet."""
        return self.classes is None and self.rows(self.split).class_names is not None

    def _found_names(self) -> list[str]:
        """Return the texts of both splits' labels, so that they number the classes alike."""
        parts = {}
        for path in (Path(named) for named in (self.path, self.train_path) if named):
            t = read_arrays(path, ("t",), max_bytes=self.max_bytes, kinds=REAL_KINDS + TEXT_KINDS)["t"]
            if not are_text(t):
                raise BadInput(
                    f"the labels t must be texts in both files; found numbers in {path}: write both alike, or give "
                    "data.classes=[…]"
                )
            parts[path] = _texts(t, source=f"the labels t of {path}")
        names = found_names(parts.values())
        if len(names) < 2:
            raise BadInput(
                f"the labels t of {next(iter(parts))} must have at least 2 classes; found {brief(names[0])!r} alone: "
                "name all with data.classes=[…]"
            )
        return names

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return an array of the split's file, shape (N,) or (N, 1)."""
        path = self._file(split)
        try:
            column = read_arrays(path, (name,), max_bytes=self.max_bytes, kinds=REAL_KINDS + TEXT_KINDS)[name]
        except BadInput as error:
            raise BadInput(f"{key}={name} must be an array of {path}; {error}") from error
        return column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column

    def _file(self, split: str) -> Path:
        """Return the file of a split."""
        named = self.path if split == "test" else self.train_path
        if named:
            return Path(named)
        if split == "test":
            raise BadInput("data.path must name the npz file of the test split; found none: pass data.path=FILE")
        raise BadInput(
            "data.train_path must name the npz file that model=mlp trains on (never data.path); found none: "
            "pass data.train_path=FILE, or choose model=npz with weights of your own"
        )

    def _n_classes(self, labels: NDArray[Any], t: NDArray[Any], names: list[str] | None, path: Path) -> int:
        """Return the number of classes, configured or found from the labels."""
        source = f"the labels t of {path}"
        width = t.shape[1] if t.ndim == 2 and t.shape[1] > 1 else None
        if width is not None and self.n_classes not in (None, width):
            raise BadInput(
                f"{source} must be as wide as data.n_classes={self.n_classes}; found {width} columns: "
                "leave data.n_classes out"
            )
        if width is not None and names is not None and len(names) != width:
            raise BadInput(
                f"{source} must be as wide as there are names in data.classes, {len(names)}; found {width} columns: "
                f"give {width} names"
            )
        n_classes = self.n_classes or len(names or ()) or width or int(labels.max()) + 1
        if n_classes < 2:
            raise BadInput(f"{source} must have at least 2 classes; found class 0 alone: set data.n_classes")
        if labels.ndim == 1:
            check_range(labels, n_classes, source=source)
        if self.one_hot and 4 * n_classes * len(labels) > self.max_bytes:
            raise BadInput(
                f"one-hot labels must take at most data.max_bytes={self.max_bytes:,}; found {len(labels):,} rows of "
                f"{n_classes:,} classes: use data.one_hot=false"
            )
        return n_classes


def _check_shapes(x: NDArray[Any], t: NDArray[Any], path: Path) -> None:
    """Raise unless the arrays are N rows of inputs and N labels, N at least 1."""
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


def _labels(t: NDArray[Any], names: list[str] | None, *, source: str) -> NDArray[Any]:
    """Return integer classes, or rows of label probabilities if they are not one-hot."""
    if t.ndim == 2 and t.shape[1] > 1:
        if are_text(t):
            raise BadInput(f"{source} must be one text a row; found the shape {t.shape}: give one label a row")
        return rows_to_labels(t, source=source)
    if names is not None:
        return class_numbers(_texts(t, source=source), names, len(names), source=source)
    return classes_of(t.reshape(len(t)), source=source)


def _texts(t: NDArray[Any], *, source: str) -> NDArray[Any]:
    """Return labels of shape (N,); bytes as text."""
    flat = t.reshape(-1)
    return decoded(flat, source) if flat.dtype.kind == "S" else flat


def _inputs(x: NDArray[Any], *, source: str) -> NDArray[Any]:
    """Return the inputs, shape (N, d), as uint8 or as finite float32."""
    rows = x.reshape(len(x), -1)
    if are_text(rows):
        raise BadInput(f"{source} must be real numbers; found {rows.dtype}: save x as int or float")
    if rows.dtype.kind == "b" or rows.dtype == np.uint8:
        return rows.astype(np.uint8, copy=False)
    return finite_float32(rows, source=source)
