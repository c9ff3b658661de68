"""Batches, their statistics, and the estimates made from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rows import IntArray


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows drawn together.

    Attributes
    ----------
    indices : ndarray of int, shape (b,)
        Units of the population (rows, or groups of rows), 0 … N - 1, in the order drawn, or stratum by stratum;
        with replacement a unit may come up more than once.
    """

    indices: IntArray


@dataclass(frozen=True, eq=False)
class Strata:
    """The H strata of a population, which are sampled separately.

    Attributes
    ----------
    drawn : ndarray of int, shape (H,)
        Units drawn from each stratum; the units of a batch stand in the order of the strata.
    sizes : ndarray of int, shape (H,)
        Units in each stratum.
    """

    drawn: IntArray
    sizes: IntArray

    @property
    def shares(self) -> NDArray[np.float64]:
        """Each stratum's share of the population, shape (H,); their sum is 1."""
        return self.sizes / self.sizes.sum()


@dataclass(frozen=True, eq=False)
class Batches:
    """The statistics of one metric over m batches of n units, from which intervals are made.

    The estimate is ``mean``. The variance and third moment of its error already account for the design that drew the
    batches (strata, unequal chances, groups, weights, a proxy) and for what the interval is to cover (`target`).

    Attributes
    ----------
    n : int
        Units (rows, or groups) in each batch, at least 1.
    mean : ndarray of float64, shape (m,)
        The estimates; the batches' plain means in a simple random sample.
    error_variance, error_third : ndarray of float64, shape (m,)
        Estimated variance and third central moment of the estimate's error; ``nan`` if n = 1 or a loss is infinite, 0
        if the batch is the whole population that is to be covered.
    unit_variance, unit_third : ndarray of float64, shape (m,)
        Estimated variance and third central moment of one unit of the design: n and n² times those of the estimate's
        error without a finite-population correction. In a simple random sample they are the rows' own.
    degrees : ndarray of float64, shape (m,)
        Degrees of freedom of `error_variance`, at least 0.
    effective : ndarray of float64, shape (m,)
        For shares: the effective sample size, the rows of a simple random sample with replacement that would have the
        same variance; inf if the error is 0 for certain.
    population_size : int or None
        N if a finite-population correction was made, else None.
    target : str
        What the interval is to cover: the mean of the ``population`` (these N units), or of the ``superpopulation``
        that they are a random sample of.
    design : str
        How the batches were drawn, for display, if that shapes the error: ``finite-population correction``.
    is_simple : bool
        Whether each batch is a simple random sample of rows.
    strata : Strata or None
        The strata, if the batches were drawn by strata.
    values : ndarray of float64, shape (m, n), or None
        One value for each unit. Their mean (of the strata's means, weighted by their shares) is the estimate. Only
        present if the interval needs them.
    expanded : ndarray of float64, shape (m, n), or None
        The values of the unbiased estimate that is linear in the rows' values: with weights or groups the sum over the
        batch is divided by its expected total weight instead of its own. Otherwise `values` themselves.
    bounds : (float, float)
        Lower and upper bound of `expanded` for rows' values in [0, 1]; multiply by the cap for values in [0, cap].
    most_weight : float
        What the row that counts most under unequal chances or in strata counts, relative to one of a simple sample.
    """

    n: int
    mean: NDArray[np.float64]
    error_variance: NDArray[np.float64]
    error_third: NDArray[np.float64]
    unit_variance: NDArray[np.float64]
    unit_third: NDArray[np.float64]
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
    most_weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Estimate:
    """The estimates of m batches, with their standard errors and intervals.

    Attributes
    ----------
    value, standard_error, low, high : ndarray of float64, shape (m,)
        The estimate, its estimated standard error, and the ends of its interval, in the metric's unit.
    n : int
        Units in each batch.
    method : str
        How the interval was made, for display.
    unreliable : ndarray of bool, shape (m,), or None
        Of losses: which batches know too little of the rare large ones for an interval to be trusted (see
        `interval.reliability`). None of other metrics.
    """

    value: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: int
    method: str
    unreliable: NDArray[np.bool_] | None = None
