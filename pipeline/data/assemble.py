"""Checked inputs and labels to a Dataset: the label encoding that was asked for, and the digest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.labels import one_hot
from pipeline.records import Dataset


def assemble(
    inputs: NDArray[Any], labels: NDArray[Any], *, n_classes: int, as_one_hot: bool, scale: float, name: str
) -> Dataset:
    """Return the data set.

    Parameters
    ----------
    inputs : ndarray of uint8 or float32, shape (N, d)
        Checked rows; kept, not copied, when contiguous.
    labels : ndarray of int64, shape (N,), or of float32, shape (N, k)
        Checked classes, or soft rows, which stay rows whatever `as_one_hot` says.
    n_classes : int
        The number of classes k.
    as_one_hot : bool
        Whether integer classes become one-hot rows.
    scale : float
        What inputs are multiplied by when a block is used.
    name : str
        For people.

    Returns
    -------
    Dataset
        Its digest covers the inputs, the labels and k; not `scale`, nor how the labels are encoded.
    """
    inputs, labels = np.ascontiguousarray(inputs), np.ascontiguousarray(labels)
    digest = _digest(inputs, labels, n_classes)
    if as_one_hot and labels.ndim == 1:
        labels = one_hot(labels, n_classes)
    return Dataset(inputs=inputs, labels=labels, n_classes=n_classes, scale=scale, name=name, digest=digest)


def _digest(inputs: NDArray[Any], labels: NDArray[Any], n_classes: int) -> str:
    """SHA-256 of the content; types and shapes come first, so that no two contents run together to the same bytes."""
    kinds = f"{inputs.dtype.str} {inputs.shape} {labels.dtype.str} {labels.shape} {n_classes};"
    return files.content_digest(kinds.encode(), as_bytes(inputs), as_bytes(labels))


def as_bytes(array: NDArray[Any]) -> memoryview:
    """Return the bytes of a contiguous array, without a copy."""
    return array.reshape(-1).view(np.uint8).data
