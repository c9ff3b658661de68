"""What models made elsewhere have in common: their file, the library that runs them, and what they may give."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.base import Data
from pipeline.errors import BadInput, was_interrupted
from pipeline.model.base import Classifier

GIVES = ("logits", "probabilities", "labels")

# Rows that are put through a model when it is built, to see what it gives.
_PROBE = 256
_SUM_TOLERANCE = 1e-3


class Outside(Classifier):
    """A classifier that a library runs; every block of outputs is checked.

    Parameters
    ----------
    run : callable
        From rows of `dtype`, shape (n, n_inputs), to outputs of n rows; safe to be called from several threads at once.
    n_inputs, n_classes : int
        Width of the inputs, and k.
    gives : str
        ``logits``, ``probabilities`` or ``labels``.
    digest : str
        SHA-256 (hex) of everything that shapes the outputs.
    dtype : dtype
        Of the inputs that it takes; integers must be exact.
    where : str
        What the model is called in an error.
    """

    def __init__(
        self,
        run: Callable[[NDArray[Any]], Any],
        *,
        n_inputs: int,
        n_classes: int,
        gives: str,
        digest: str,
        dtype: np.dtype[Any],
        where: str,
    ) -> None:
        self.n_inputs, self.n_classes, self.gives, self.digest = n_inputs, n_classes, gives, digest
        self._run, self._dtype, self._where = run, dtype, where

    def logits(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Return what the model gives; see `Classifier.logits`.

        Raises
        ------
        BadInput
            If the model fails, or gives anything but n rows of k numbers, or n labels 0 … k - 1.
        """
        outputs = _outputs(self._run, inputs, dtype=self._dtype, where=self._where)
        if self.gives == "labels":
            return _labels(outputs, len(inputs), n_classes=self.n_classes, where=self._where)
        return _matrix(outputs, (len(inputs), self.n_classes), where=self._where)


def outside(
    run: Callable[[NDArray[Any]], Any],
    data: Data,
    *,
    shaping: list[object],
    where: str,
    gives: str | None = None,
    output: str = "",
    n_inputs: int | None = None,
    dtype: Any = np.float32,
) -> Outside:
    """Put the first 256 rows of the data through a model, and return it as a classifier that gives what it gave.

    Parameters
    ----------
    run, where, dtype
        As of `Outside`.
    data : Data
        Where the rows are from, and the number of classes if the model gives labels alone.
    shaping : list
        Plain values that shape the outputs: digest of the file, fields, version of the library.
    gives : str or None
        What it gives. None: labels where the outputs are integers of shape (n,) or (n, 1); probabilities where the
        output is called so or every row is at least 0 and sums to 1 within 0.001; else logits.
    output : str
        Name of the output.
    n_inputs : int or None
        The width that the model states; None: the data's.

    Raises
    ------
    BadInput
        If the model fails on these rows, gives anything else, or something else when it is asked again.
    """
    population = data.rows(data.split)
    width = n_inputs or population.width
    kind = np.dtype(dtype)
    # Of another width the data is refused later, in the words of all models.
    probe = np.zeros((2, width), np.float32)
    if width == population.width:
        stored = population.take(np.arange(min(_PROBE, len(population)))).inputs
        probe = np.multiply(stored, np.float32(population.scale), dtype=np.float32)
    outputs, again = (_outputs(run, probe, dtype=kind, where=where) for _ in range(2))
    if not np.array_equal(outputs, again, equal_nan=outputs.dtype.kind == "f"):
        raise BadInput(
            f"{where} must give the same outputs for the same rows; found others the second time: save it for "
            "evaluation, without dropout (model.eval() in PyTorch)"
        )
    found = gives or _decided(outputs, output)
    if found == "labels":
        n_classes = population.n_classes
        _labels(outputs, len(probe), n_classes=n_classes, where=where)
    else:
        n_classes = _matrix(outputs, (len(probe), None), where=where).shape[1]
    digest = files.digest_of(*shaping, found, n_classes, kind.str)
    return Outside(run, n_inputs=width, n_classes=n_classes, gives=found, digest=digest, dtype=kind, where=where)


def check_gives(gives: str | None) -> None:
    """Refuse what no classifier gives.

    Raises
    ------
    BadInput
        If it is not None and none of `GIVES`.
    """
    if gives is not None and gives not in GIVES:
        raise BadInput(f"model.gives must be one of {', '.join(GIVES)}, or null to see it; found {gives!r}")


def named(path: str, *, what: str) -> str:
    """Return the absolute path of a file that must be named.

    Raises
    ------
    BadInput
        If it is empty.
    """
    if not path.strip():
        raise BadInput(f"model.path must name {what}; found none: add model.path=FILE")
    return files.absolute(path)


def read_file(path: Path, *, what: str) -> bytes:
    """Read a file once, so that what is digested is what is loaded.

    Raises
    ------
    BadInput
        If there is none, or it cannot be read.
    """
    if not path.is_file():
        raise BadInput(f"model.path must name {what}; found no file {path}: check the path")
    try:
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise BadInput(f"{path} must be readable, and fit into memory; found: {brief(error)}: mend that") from error


def library(module: str, *, extra: str, how: str = " (or make setup-extras)") -> Any:
    """Import what an extra installs.

    Raises
    ------
    BadInput
        If it is not there; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        found = "none" if error.name in (None, package, module) else brief(error)
        raise BadInput(
            f"model={extra} needs {package}; found {found}: pip install 'batchscope[{extra}]'{how}"
        ) from error


def _decided(outputs: NDArray[Any], name: str) -> str:
    """What outputs are that nobody has named."""
    if outputs.dtype.kind in "biu" and outputs.shape in ((len(outputs),), (len(outputs), 1)):
        return "labels"
    lower = name.lower()
    # Logarithms of probabilities are logits.
    is_called_so = "prob" in lower and "log" not in lower
    return "probabilities" if is_called_so or _are_probabilities(outputs) else "logits"


def _are_probabilities(outputs: NDArray[Any]) -> bool:
    if outputs.ndim != 2 or outputs.dtype.kind != "f" or outputs.shape[1] < 2:
        return False
    sums = outputs.sum(axis=1, dtype=np.float64)
    return bool((outputs >= 0).all() and (np.abs(sums - 1) <= _SUM_TOLERANCE).all())


def _outputs(
    run: Callable[[NDArray[Any]], Any], inputs: NDArray[Any], *, dtype: np.dtype[Any], where: str
) -> NDArray[Any]:
    rows = _converted(inputs, dtype, where)
    try:
        return np.asarray(run(rows))
    except (BadInput, MemoryError):
        raise
    # Any library may be behind it.
    except Exception as error:
        if was_interrupted(error):
            raise
        raise BadInput(
            f"{where} must run on rows of {inputs.shape[1]} numbers; found: {brief(error) or type(error).__name__}: "
            "check that it was made for this data"
        ) from error


def _converted(inputs: NDArray[Any], dtype: np.dtype[Any], where: str) -> NDArray[Any]:
    """The inputs as the model takes them; whole numbers must stay what they are."""
    with np.errstate(all="ignore"):
        rows = inputs.astype(dtype, copy=False)
    if dtype.kind in "iu" and not np.array_equal(rows, inputs):
        raise BadInput(
            f"{where} takes {dtype} inputs, so the data's must be whole numbers in its range; found others: pass "
            "data.normalize=false if they are scaled, or save the model with float inputs"
        )
    return rows


def _matrix(outputs: NDArray[Any], shape: tuple[int, int | None], *, where: str) -> NDArray[Any]:
    """Check logits or probabilities of n rows; k is as it comes where the shape leaves it open, at least 2."""
    n, k = shape
    fits = outputs.ndim == 2 and len(outputs) == n and (outputs.shape[1] >= 2 if k is None else outputs.shape[1] == k)
    if not fits or outputs.dtype.kind != "f":
        columns = "a column of float for each class, at least 2" if k is None else f"{k} columns of float"
        raise BadInput(
            f"{where} must give logits or probabilities, {columns}, or integer labels; found {outputs.dtype} of shape "
            f"{outputs.shape} for {n} rows: save it with such an output"
        )
    return outputs.astype(np.float32) if outputs.dtype.itemsize < 4 else outputs


def _labels(outputs: NDArray[Any], n: int, *, n_classes: int, where: str) -> NDArray[np.int64]:
    """Check predicted labels of n rows."""
    is_whole = outputs.dtype.kind in "biu" or (outputs.dtype.kind == "f" and bool((outputs % 1 == 0).all()))
    if outputs.shape not in ((n,), (n, 1)) or not is_whole:
        raise BadInput(
            f"{where} must give a label for each row, an integer 0 to {n_classes - 1}; found {outputs.dtype} of shape "
            f"{outputs.shape} for {n} rows: save it with such an output, or say what it gives: model.gives=logits"
        )
    labels = outputs.reshape(n).astype(np.int64)
    if n and (labels.min() < 0 or labels.max() >= n_classes):
        found = int(labels.min()) if labels.min() < 0 else int(labels.max())
        raise BadInput(
            f"{where} must give labels 0 to {n_classes - 1}, the data's classes; found {found}: number the classes so"
        )
    return labels
