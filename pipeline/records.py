"""What flows from stage to stage; shapes, dtypes and units are stated here once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Dataset:
    """All N rows of the chosen split: the population.

    Attributes
    ----------
    inputs : ndarray, shape (N, d)
        As stored: ``uint8`` pixels stay 8-bit until a block of them is used; otherwise ``float32``.
    labels : ndarray, shape (N,) or (N, k)
        Integer classes 0 … k - 1 (``int64``), or one row of label probabilities each (``float32``: one-hot or soft).
    n_classes : int
        The number of classes k.
    scale : float
        What inputs are multiplied by when a block is used: 1/255 for normalised 8-bit pixels, else 1.
    name : str
        For people: ``mnist train``.
    digest : str
        SHA-256 (hex) of the content; equal content gives an equal digest.
    """

    inputs: NDArray[Any]
    labels: NDArray[Any]
    n_classes: int
    scale: float
    name: str
    digest: str

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows drawn together.

    Attributes
    ----------
    indices : ndarray of int, shape (b,)
        Row numbers into the population, 0 … N - 1, in the order drawn; repeats are possible with replacement.
    """

    indices: IntArray


@dataclass(frozen=True, eq=False)
class Scores:
    """The two per-example values of every evaluated row; everything after them is statistics.

    Attributes
    ----------
    loss : ndarray of float64, shape (n,)
        Cross-entropy in nats, 0 … inf.
    correct : ndarray of bool, shape (n,)
        Whether the largest logit is the label's.
    ties : int
        How many of the n rows had a largest logit shared by two or more classes (the lowest index was taken).
    capped : int
        How many of the n losses were above the cap that was set, and are counted as the cap; 0 without a cap.
    """

    loss: NDArray[np.float64]
    correct: NDArray[np.bool_]
    ties: int = 0
    capped: int = 0

    def __len__(self) -> int:
        return len(self.loss)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sufficient statistics of one metric in each of m batches of n rows; what an interval is made from.

    Attributes
    ----------
    n : int
        Rows in each batch, at least 1.
    mean : ndarray of float64, shape (m,)
        The batches' means.
    variance : ndarray of float64, shape (m,)
        The batches' sample variances with divisor n - 1; ``nan`` where n = 1.
    population_size : int or None
        N when the rows were drawn without replacement from N (a finite-population correction is due), else None.
    """

    n: int
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    population_size: int | None = None


@dataclass(frozen=True, eq=False)
class Estimate:
    """A value with what is known of its error, for each of m batches.

    Attributes
    ----------
    value, standard_error, low, high : ndarray of float64, shape (m,)
        The estimate, its estimated standard error, and the ends of its interval.
    n : int
        Rows behind each estimate.
    method : str
        How the interval was made, in words.
    """

    value: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: int
    method: str


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """How a network that was trained here got where it is, one entry an epoch.

    Attributes
    ----------
    batch_loss : ndarray of float64, shape (epochs,)
        Mean over the epoch of the training batches' losses, nats.
    loss, accuracy : ndarray of float64, shape (epochs,)
        Over the whole training split, after the epoch.
    """

    batch_loss: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    loss: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    accuracy: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Table:
    """What the terminal shows of a result; 80 columns are all there is.

    Attributes
    ----------
    title : str
        What the rows are about.
    headings : tuple of str
        One a column; a line break makes two short lines.
    rows : list of tuple of str
        Right-aligned cells.
    footer : list of tuple of str
        Rows set off below the others.
    """

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    footer: list[tuple[str, ...]] = field(default_factory=list)
