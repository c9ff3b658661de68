"""What models made elsewhere have in common: their file, the library that runs them, and the outputs they may give."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import Data
from ..errors import BadInput, brief, was_interrupted
from ..records.probabilities import are_distributions
from ..runtime import files
from ..runtime.apart import call_apart
from ..runtime.extras import advice
from .base import Classifier, Model

GIVES = ("logits", "probabilities", "labels")

# Rows that a model is run on when it is built, to find out what it gives.
PROBE_ROWS = 256


@dataclass
class FileModel(Model):
    """A model in a file that was made elsewhere.

    Attributes
    ----------
    path : str
        The file; it is made absolute.
    """

    path: str = ""

    # What the file is, in errors.
    what: ClassVar[str]

    def __post_init__(self) -> None:
        if not self.path.strip():
            raise BadInput(f"model.path must name {self.what}; found none: add model.path=FILE")
        self.path = files.absolute(self.path)

    def read(self) -> tuple[Path, bytes]:
        """Return the path, and the content: read once, so that what is digested is what is loaded.

        Raises
        ------
        BadInput
            If there is no such file, or it cannot be read.
        """
        path = Path(self.path)
        if not path.is_file():
            raise BadInput(f"model.path must name {self.what}; found no file {path}: check the path")
        try:
            return path, path.read_bytes()
        except (OSError, MemoryError) as error:
            raise BadInput(f"{path} must be readable, and fit into memory; found: {brief(error)}: mend that") from error


class ExternalClassifier(Classifier):
    """A classifier that another library runs; every block of its outputs is checked.

    Parameters
    ----------
    run : callable
        From rows of `dtype`, shape (n, *shape), to outputs of n rows; safe to be called from several threads at once.
    n_inputs, n_classes : int
        Width of the inputs, and k.
    shape : tuple of int
        The shape of a row as the library takes it; (-1,) is the width of the row.
    gives : str
        ``logits``, ``probabilities`` or ``labels``.
    digest : str
        SHA-256 (hex) of everything that the outputs depend on.
    dtype : dtype
        The dtype of the inputs; if it is an integer, inputs must be whole numbers in its range.
    where : str
        The name of the model in an error message.
    """

    def __init__(
        self,
        run: Callable[[NDArray[Any]], Any],
        *,
        n_inputs: int,
        n_classes: int,
        shape: tuple[int, ...],
        gives: str,
        digest: str,
        dtype: np.dtype[Any],
        where: str,
    ) -> None:
        self.n_inputs, self.n_classes, self.gives, self.digest = n_inputs, n_classes, gives, digest
        self._run, self._shape, self._dtype, self._where = run, shape, dtype, where

    def logits(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Return what the model gives; see `Classifier.logits`.

        Raises
        ------
        BadInput
            If the model fails, or its outputs are neither n rows of k numbers nor n labels 0 … k - 1.
        """
        outputs = _outputs(self._run, inputs, shape=self._shape, dtype=self._dtype, where=self._where)
        if self.gives == "labels":
            return _labels(outputs, len(inputs), n_classes=self.n_classes, where=self._where)
        return _matrix(outputs, (len(inputs), self.n_classes), where=self._where)


def external_classifier(
    run: Callable[[NDArray[Any]], Any],
    data: Data,
    *,
    shaping: list[object],
    where: str,
    gives: str | None = None,
    output: str = "",
    shape: Sequence[int] = (-1,),
    dtype: Any = np.float32,
    seconds: float | None = None,
    stop: Callable[[], None] | None = None,
) -> ExternalClassifier:
    """Return a classifier around a library's model, after a trial run on the first 256 rows of the data.

    The trial run shows what the model gives, and that it gives the same outputs twice.

    Parameters
    ----------
    run, where, dtype
        As for `ExternalClassifier`.
    data : Data
        The source of the rows, and of the number of classes if the model gives labels alone.
    shaping : list
        Plain values that the outputs depend on: the digest of the file, options, the version of the library.
    gives : str or None
        What the model gives. None: labels if the outputs are integers of shape (n,) or (n, 1); probabilities if the
        output's name says so, or every row is at least 0 and sums to 1 within 0.001; else logits.
    output : str
        The name of the output.
    shape : sequence of int
        The shape of a row, as the model states it: rows are reshaped to it. (-1,) if it states none: the data's width.
    seconds : float or None
        How long either trial run may take. None: without end.
    stop : callable or None
        Ends a run from another thread; without it, one that takes too long goes on until the process ends.

    Raises
    ------
    BadInput
        If the model fails on these rows, takes longer, gives outputs of another kind, or others in a second run.
    """
    population = data.rows(data.split)
    row = tuple(shape)
    width = population.width if row == (-1,) else math.prod(row)
    kind = np.dtype(dtype)
    # Data of another width are refused later, by the check that all models share.
    probe = np.zeros((2, width), np.float32)
    if width == population.width:
        stored = population.take(np.arange(min(PROBE_ROWS, len(population)))).inputs
        probe = np.multiply(stored, np.float32(population.scale), dtype=np.float32)

    def tried(rows: NDArray[Any]) -> Any:
        try:
            return call_apart(lambda: run(rows), seconds=seconds, stop=stop)
        except TimeoutError as error:
            raise too_slow(where, f"give the outputs of {len(rows)} rows", seconds) from error

    outputs, again = (_outputs(tried, probe, shape=row, dtype=kind, where=where) for _ in range(2))
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
    return ExternalClassifier(
        run, n_inputs=width, n_classes=n_classes, shape=row, gives=found, digest=digest, dtype=kind, where=where
    )


def too_slow(where: str, what: str, seconds: float | None) -> BadInput:
    """Return the refusal of a model that takes longer than ``model.seconds``."""
    return BadInput(
        f"{where} must {what} within {seconds:g} s; found that it takes longer: raise model.seconds if you trust it"
    )


def check_gives(gives: str | None) -> None:
    """Check the option ``model.gives``.

    Raises
    ------
    BadInput
        If it is neither None nor one of `GIVES`.
    """
    if gives is not None and gives not in GIVES:
        raise BadInput(f"model.gives must be one of {', '.join(GIVES)}, or null to find out; found {gives!r}")


def library(module: str, *, extra: str) -> Any:
    """Import a module that an extra of the package installs.

    Raises
    ------
    BadInput
        If it is not installed; the message says what installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        found = "none" if error.name in (None, package, module) else brief(error)
        raise BadInput(f"model={extra} needs {package}; found {found}: {advice(extra)}") from error


def _decided(outputs: NDArray[Any], name: str) -> str:
    """Decide what the outputs are, from their dtype, shape, name and values."""
    if outputs.dtype.kind in "biu" and outputs.shape in ((len(outputs),), (len(outputs), 1)):
        return "labels"
    lower = name.lower()
    # Logarithms of probabilities are logits.
    is_named_so = "prob" in lower and "log" not in lower
    return "probabilities" if is_named_so or _are_probabilities(outputs) else "logits"


def _are_probabilities(outputs: NDArray[Any]) -> bool:
    if outputs.ndim != 2 or outputs.dtype.kind != "f" or outputs.shape[1] < 2:
        return False
    return are_distributions(outputs)


def _outputs(
    run: Callable[[NDArray[Any]], Any],
    inputs: NDArray[Any],
    *,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    where: str,
) -> NDArray[Any]:
    rows = _converted(inputs, dtype, where)
    try:
        return np.asarray(run(rows.reshape(len(rows), *shape)))
    except (BadInput, MemoryError):
        raise
    # The library behind it may raise any exception.
    except Exception as error:
        if was_interrupted(error):
            raise
        raise BadInput(
            f"{where} must run on rows of {inputs.shape[1]} numbers; found: {brief(error) or type(error).__name__}: "
            "check that it was made for this data"
        ) from error


def _converted(inputs: NDArray[Any], dtype: np.dtype[Any], where: str) -> NDArray[Any]:
    """The inputs in the dtype that the model takes; a conversion to integers must change no value."""
    with np.errstate(all="ignore"):
        rows = inputs.astype(dtype, copy=False)
    if dtype.kind in "iu" and not np.array_equal(rows, inputs):
        raise BadInput(
            f"{where} takes {dtype} inputs, so the data's must be whole numbers in its range; found others: pass "
            "data.normalize=false if they are scaled, or save the model with float inputs"
        )
    return rows


def _matrix(outputs: NDArray[Any], shape: tuple[int, int | None], *, where: str) -> NDArray[Any]:
    """Check logits or probabilities of n rows, shape (n, k); if k is None, any k of at least 2."""
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
