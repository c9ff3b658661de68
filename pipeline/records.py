"""What flows from stage to stage; shapes, dtypes and units are stated here once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


# Rows of a data set in memory that are handed to a worker together.
_SHARD_ROWS = 1 << 16


class Block(NamedTuple):
    """Rows read together.

    Attributes
    ----------
    inputs : ndarray, shape (n, d)
        As stored; the logits themselves, or probabilities or scores, where the rows are predictions.
    labels : ndarray, shape (n,) or (n, k), or None
        None where the rows have scores and no labels.
    """

    inputs: NDArray[Any]
    labels: NDArray[Any] | None


class Population(Protocol):
    """All N rows that are judged, in memory (`Dataset`) or read from disk shard by shard (`Streamed`)."""

    @property
    def name(self) -> str:
        """For people: ``mnist train``."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the content."""

    @property
    def n_classes(self) -> int:
        """The number of classes k; 0 where rows have scores and no classes."""

    @property
    def scale(self) -> float:
        """What inputs are multiplied by when a block is used."""

    @property
    def width(self) -> int:
        """Numbers in a row of the inputs."""

    @property
    def labels(self) -> NDArray[Any] | None:
        """The labels of all rows, shape (N,) or (N, k); read when asked for."""

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """Which group each row belongs to, shape (N,)."""

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """What each row counts, shape (N,)."""

    @property
    def bounds(self) -> IntArray:
        """Where each shard starts, and N, shape (S + 1,)."""

    def __len__(self) -> int: ...

    def read(self, shard: int) -> Iterator[Block]:
        """Read a shard, in order, in blocks of bounded size."""

    def take(self, rows: IntArray) -> Block:
        """Read rows, in the order asked for."""

    def where(self, row: int) -> str:
        """Say which row it is, for an error."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """All N rows of the chosen split, in memory: the population.

    Attributes
    ----------
    inputs : ndarray, shape (N, d)
        As stored: ``uint8`` pixels stay 8-bit until a block of them is used; otherwise ``float32``.
    labels : ndarray, shape (N,) or (N, k), or None
        Integer classes 0 … k - 1 (``int64``), or one row of label probabilities each (``float32``: one-hot or soft).
        None where the rows have scores and no labels; who needs them asks `data.base.in_memory` first.
    n_classes : int
        The number of classes k; 0 where there are scores alone.
    scale : float
        What inputs are multiplied by when a block is used: 1/255 for normalised 8-bit pixels, else 1.
    name : str
        For people: ``mnist train``.
    digest : str
        SHA-256 (hex) of the content; equal content gives an equal digest.
    groups : ndarray of int64, shape (N,), or None
        Which group each row belongs to, 0 … G - 1, where rows belong together and are drawn together.
    weights : ndarray of float64, shape (N,), or None
        What each row counts in a mean, above 0; None is 1 each.
    row_name : callable or None
        Says for an error where a row stands; None: ``row 17``.
    """

    inputs: NDArray[Any]
    labels: NDArray[Any]
    n_classes: int
    scale: float
    name: str
    digest: str
    groups: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    row_name: Callable[[int], str] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def width(self) -> int:
        """Numbers in a row of the inputs."""
        return int(self.inputs.shape[1])

    @property
    def bounds(self) -> IntArray:
        """Where each shard starts, and N."""
        return np.append(np.arange(0, len(self), _SHARD_ROWS), len(self))

    def read(self, shard: int) -> Iterator[Block]:
        """Hand a shard out as it is."""
        yield self.take(slice(shard * _SHARD_ROWS, (shard + 1) * _SHARD_ROWS))

    def take(self, rows: IntArray | slice) -> Block:
        """Hand rows out, in the order asked for."""
        return Block(self.inputs[rows], None if self.labels is None else self.labels[rows])

    def where(self, row: int) -> str:
        """Say which row it is, for an error."""
        return f"row {row}" if self.row_name is None else self.row_name(row)


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows drawn together.

    Attributes
    ----------
    indices : ndarray of int, shape (b,)
        Units of the population (rows, or groups of rows), 0 … N - 1, in the order drawn, or stratum by stratum;
        repeats are possible with replacement.
    probabilities : ndarray of float64, shape (b,), or None
        The chance of each to be drawn: of one draw where units are drawn one by one with unequal chances, else of being
        in the batch; None where all N have the same.
    """

    indices: IntArray
    probabilities: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Guess:
    """What a proxy says of every unit before it is evaluated.

    Attributes
    ----------
    difficulty : ndarray of float64, shape (N,)
        Finite; larger where more loss is expected. Below 0 only for designs that do not draw in proportion to it.
    loss, accuracy : ndarray of float64, shape (N,)
        What stands in for the two metrics, on any scale: what matters is how they go together.
    """

    difficulty: NDArray[np.float64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Frame:
    """What a design may know of the population before a batch is evaluated.

    Attributes
    ----------
    size : int
        N, the units that can be drawn: rows, or groups.
    read_labels : callable
        Returns the classes (N,), or None where a unit is a group of rows or has no class; see `labels`.
    guess : callable
        Returns the proxy's Guess; dear to call, so only a design that needs it does.
    score : callable
        From units, shape (n,), to their Scores: a pilot.
    is_simple : bool
        Whether every unit is a row that counts as much as any other.
    """

    size: int
    read_labels: Callable[[], IntArray | None]
    guess: Callable[[], Guess]
    score: Callable[[IntArray], Scores]
    is_simple: bool = True

    @cached_property
    def labels(self) -> IntArray | None:
        """The classes, shape (N,), read when first asked for."""
        return self.read_labels()


@dataclass(frozen=True, eq=False)
class Strata:
    """Parts of the population that are drawn from separately.

    Attributes
    ----------
    drawn : ndarray of int, shape (H,)
        Units drawn from each, in the order in which they stand in a batch.
    sizes : ndarray of int, shape (H,)
        Units in each.
    """

    drawn: IntArray
    sizes: IntArray

    @property
    def shares(self) -> NDArray[np.float64]:
        """Each stratum's share of the population, shape (H,)."""
        return self.sizes / self.sizes.sum()


class Scores:
    """The per-example values of every evaluated row; everything after them is statistics.

    Parameters
    ----------
    loss : ndarray of float64 (float32 where kept on disk), shape (n,), or None
        Cross-entropy in nats, 0 … inf; None where a model gives labels alone.
    correct : ndarray of bool, shape (n,), or None
        Whether the largest logit is the label's; None where only losses are known.
    further : mapping of str to ndarray of float, shape (n,)
        Values of further metrics.
    ties : int
        How many of the n rows had a largest logit shared by two or more classes (the lowest index was taken).
    capped : int
        How many of the n losses were above the cap that was set, and are counted as the cap; 0 without a cap.
    """

    def __init__(
        self,
        loss: NDArray[Any] | None,
        correct: NDArray[np.bool_] | None,
        *,
        further: Mapping[str, NDArray[Any]] | None = None,
        ties: int = 0,
        capped: int = 0,
    ) -> None:
        columns = {"loss": loss, "accuracy": correct, **(further or {})}
        self.columns = {metric: column for metric, column in columns.items() if column is not None}
        if not self.columns:
            raise ValueError("scores must have at least one metric; found none")
        self.ties, self.capped = ties, capped

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]], *, ties: int = 0, capped: int = 0) -> Scores:
        """Return scores made of columns by metric, loss and accuracy among them or not."""
        further = {metric: column for metric, column in columns.items() if metric not in ("loss", "accuracy")}
        return cls(columns.get("loss"), columns.get("accuracy"), further=further, ties=ties, capped=capped)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics there are: ``loss`` and ``accuracy`` first."""
        return tuple(self.columns)

    @property
    def loss(self) -> NDArray[Any]:
        """The losses; refused where there are none."""
        return self._column("loss")

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each row is right; refused where that is not known."""
        return self._column("accuracy")

    @property
    def is_stored(self) -> bool:
        """Whether the values lie on disk, and are read as they are needed."""
        return any(isinstance(column, np.memmap) for column in self.columns.values())

    def values(self, metric: str) -> NDArray[np.float64]:
        """Return a metric's values as numbers in memory."""
        return np.asarray(self._column(metric)).astype(np.float64, copy=False)

    def take(self, rows: IntArray | slice) -> Scores:
        """Return the scores of some of the rows; ties and caps are not counted again."""
        return Scores.of({metric: column[rows] for metric, column in self.columns.items()})

    def _column(self, metric: str) -> NDArray[Any]:
        if metric not in self.columns:
            what = {"loss": "the loss of each row", "accuracy": "whether each row is right"}.get(metric, metric)
            raise BadInput(
                f"this needs {what}; found only the {' and the '.join(self.columns)} of each: give logits or "
                "probabilities, or choose a study that does without"
            )
        return self.columns[metric]


@dataclass(frozen=True, eq=False)
class Batches:
    """What m batches of n units say of one metric; what an interval is made from.

    The estimate is ``mean``. Its error's variance and third moment are those of the design that drew the batches
    (strata, unequal chances, groups, weights, a proxy) and of what is to be covered (`target`), so that an interval
    made from them knows both.

    Attributes
    ----------
    n : int
        Units (rows, or groups) in each batch, at least 1.
    mean : ndarray of float64, shape (m,)
        The estimates; the batches' plain means in a simple random sample.
    error_variance, error_third : ndarray of float64, shape (m,)
        Estimated variance and third central moment of the estimate's error; ``nan`` where n = 1 or a loss is infinite,
        0 where nothing is left to chance.
    degrees : ndarray of float64, shape (m,)
        Degrees of freedom of `error_variance`, at least 0.
    effective : ndarray of float64, shape (m,)
        For shares: the rows of a simple random sample with replacement that would tell as much; inf where nothing is
        left to chance.
    population_size : int or None
        N where a finite-population correction was made, else None.
    target : str
        What is to be covered: ``population``, these N units, or ``superpopulation``, the world that they came from.
    design : str
        How the batches were drawn, in words, where that shapes the error: ``finite-population correction``.
    is_simple : bool
        Whether each batch is a simple random sample of rows.
    strata : Strata or None
        Where the batches were drawn by strata.
    values : ndarray of float64, shape (m, n), or None
        One value a unit, whose mean (of the strata's means, weighted by their shares) is the estimate; only where an
        interval asks for them.
    expanded : ndarray of float64, shape (m, n), or None
        The same for the unbiased estimate that is linear in the rows' values: for weights and groups, Σ over the batch
        divided by the total that is expected of it instead of the batch's own. Else `values` themselves.
    bounds : (float, float)
        What `expanded` lies between if the rows' values lie between 0 and 1; with values up to a cap, times the cap.
    """

    n: int
    mean: NDArray[np.float64]
    error_variance: NDArray[np.float64]
    error_third: NDArray[np.float64]
    degrees: NDArray[np.float64]
    effective: NDArray[np.float64]
    population_size: int | None = None
    target: str = "population"
    design: str = ""
    is_simple: bool = True
    strata: Strata | None = None
    values: NDArray[np.float64] | None = None
    expanded: NDArray[np.float64] | None = None
    bounds: tuple[float, float] = (0.0, 1.0)


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
