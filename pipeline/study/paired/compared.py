"""Two models on the same rows, metric by metric: the differences, and the figures that are logged of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...estimation import paired
from ...estimation.clustered import sign_flip_p
from ...estimation.mcnemar import discordant, mcnemar_mid_p
from ...estimation.prediction_powered import ProxyDifference, powered_difference
from ...metric.base import Metric
from ...sampling.units import Units

FIGURES = ("difference", "difference_low", "difference_high", "n_for_power", "n_for_power_unpaired", "n_ratio")


class Both(Protocol):
    """The values of the same rows under two models."""

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that both have, by column."""

    def columns(self, metric: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return both models' values of a metric, shape (n,) each, those of a share as true and false."""

    def slack(self, metric: str) -> tuple[float, float]:
        """Return by how much the difference of a metric may be too large, and too small, by bias."""

    @property
    def proxies(self) -> Mapping[str, ProxyDifference]:
        """What a proxy says of the difference, by metric."""

    @property
    def powered(self) -> tuple[str, ...]:
        """The metrics of which it explains something."""


@dataclass(frozen=True)
class Compared:
    """What n rows say of one metric.

    Attributes
    ----------
    difference : PairedDifference
        Second model minus first.
    flipped : (int, int) or None
        Of a share: the rows that the second model alone gets right, and those that the first alone does.
    p_flips : float or None
        Of groups: the p value by flipping the signs of their differences, nan where there is none.
    is_powered : bool
        Whether rows without a label count by a proxy.
    """

    difference: paired.PairedDifference
    flipped: tuple[int, int] | None = None
    p_flips: float | None = None
    is_powered: bool = False


def difference_of(both: Both, name: str, units: Units | None, question: paired.Question) -> paired.PairedDifference:
    """Compare the same rows under two models by a metric, as groups where they belong together."""
    metric, columns = both.metrics[name], both.columns(name)
    if name in both.powered:
        return powered_difference(*columns, both.proxies[name], question)
    if metric.is_together and np.array_equal(*columns):
        # No row changes it here, but one may come that does: as of a share that no row changes.
        return paired.share_difference(*(np.zeros(_size(columns, units), dtype=bool),) * 2, question)
    if units is not None and not units.is_simple:
        found = paired.group_difference(*columns, units, question)
        return paired.widened(found, both.slack(name), units.size - 1, question)
    found = (paired.share_difference if metric.is_share else paired.mean_difference)(*columns, question)
    return paired.widened(found, both.slack(name), len(columns[0]) - 1, question)


def _size(columns: tuple[NDArray[Any], NDArray[Any]], units: Units | None) -> int:
    return len(columns[0]) if units is None else units.size


def compared(both: Both, question: paired.Question, units: Units | None = None) -> dict[str, Compared]:
    """Compare two models by every metric that both have.

    Parameters
    ----------
    both : Both
    question : Question
    units : Units or None
        Rows, or groups of them; None is rows.
    """
    found = {}
    for name, metric in both.metrics.items():
        before, after = both.columns(name)
        own = difference_of(both, name, units, question)
        flipped = discordant(before, after) if metric.is_share else None
        p_flips = None
        if units is not None and not units.is_simple:
            apart = after.astype(np.float64) - before.astype(np.float64)
            p_flips = math.nan if math.isnan(own.p) else sign_flip_p(units.totals(apart))
        found[name] = Compared(own, flipped, p_flips, name in both.powered)
    return found


def metrics_of(found: Mapping[str, Compared]) -> dict[str, float]:
    """Return the figures that are defined, as they are logged."""
    figures: dict[str, float] = {}
    for name, own in found.items():
        one = own.difference
        values = (one.value, one.low, one.high, one.n_for_power, one.n_for_power_unpaired, one.n_ratio)
        figures |= {f"{name}/{figure}": value for figure, value in zip(FIGURES, values, strict=True)}
        if own.flipped is not None:
            gained, lost = own.flipped
            figures |= {f"{name}/gained": float(gained), f"{name}/lost": float(lost)}
        if own.flipped is not None and own.p_flips is None and not own.is_powered:
            # McNemar's test is of independent rows, all of them labelled.
            figures |= {f"{name}/mcnemar_p": one.p, f"{name}/mcnemar_mid_p": mcnemar_mid_p(*own.flipped)}
        else:
            figures[f"{name}/p"] = one.p
        if own.p_flips is not None:
            figures[f"{name}/p_flips"] = own.p_flips
    return {name: value for name, value in figures.items() if not math.isnan(value)}
