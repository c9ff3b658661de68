"""Build a `Dataset` from checked inputs and labels: encode the labels as configured, and compute the digest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records.rows import Dataset
from ..runtime import files
from ..runtime.files import as_bytes
from .labels import one_hot


def assemble(
    inputs: NDArray[Any], labels: NDArray[Any], *, n_classes: int, as_one_hot: bool, scale: float, name: str
) -> Dataset:
    """Return the inputs and labels as a data set.

    Parameters
    ----------
    inputs : ndarray of uint8 or float32, shape (N, d)
        Checked rows; used without a copy if they are contiguous.
    labels : ndarray of int64, shape (N,), or of float32, shape (N, k)
        Checked classes, or rows of label probabilities, which stay rows whatever `as_one_hot` is.
    n_classes : int
        The number of classes k.
    as_one_hot : bool
        Whether integer classes become one-hot rows.
    scale : float
        The factor that inputs are multiplied by when a block is used.
    name : str
        The name of the data set, for display.

    Returns
    -------
    Dataset
        Its digest depends on the inputs, the labels and k. It does not depend on `scale` or on the label encoding.
    """
    inputs, labels = np.ascontiguousarray(inputs), np.ascontiguousarray(labels)
    digest = _digest(inputs, labels, n_classes)
    if as_one_hot and labels.ndim == 1:
        labels = one_hot(labels, n_classes)
    return Dataset(inputs=inputs, labels=labels, n_classes=n_classes, scale=scale, name=name, digest=digest)


def _digest(inputs: NDArray[Any], labels: NDArray[Any], n_classes: int) -> str:
    """Return the SHA-256 of the content: of types and shapes too, because different arrays can have equal bytes."""
    kinds = f"{inputs.dtype.str} {inputs.shape} {labels.dtype.str} {labels.shape} {n_classes};"
    return files.content_digest(kinds.encode(), as_bytes(inputs), as_bytes(labels))
