"""From the scores of two models on the same rows to what a gate found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...estimation.bounded_gain import BoundedGain
from ...estimation.clustered import sign_flip_p
from ...estimation.evidence import Gain
from ...estimation.gain import ShareGain, differences, gain_of, sign_of
from ...estimation.multiple_tests import holm
from ...estimation.prediction_powered import ProxyDifference
from ...estimation.unseen import reach_of
from ...estimation.verdict import decide, rows_to_decide
from ...metric.base import Metric
from ...records.stored import let_go
from ...records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORSE, Finding
from ...report.words import counted
from ...sampling.units import Units
from .resolution import assumptions, resolution

# Relative to a mean.
_ROUNDING = 1e-12

Columns = tuple[NDArray[Any], NDArray[Any]]


def findings_of(
    columns: Mapping[str, Columns],
    metrics: Mapping[str, Metric],
    margins: Mapping[str, float],
    *,
    confidence: float,
    power: float,
    units: Units | None = None,
    slacks: Mapping[str, tuple[float, float]] | None = None,
    loss_range: float | None = None,
    proxies: Mapping[str, ProxyDifference] | None = None,
) -> tuple[Finding, ...]:
    """Return the finding of each metric, for the world that the rows are a random sample of.

    Parameters
    ----------
    columns : mapping of str to (ndarray, ndarray) of shape (n,)
        The values of all rows under baseline and candidate, by metric, in the order asked for.
    metrics, margins : mapping of str to Metric, and to float
    confidence, power : float
    units : Units or None
        The groups of the rows, where rows belong together.
    slacks : mapping of str to (float, float), or None
        By how much a difference may be too large, and too small, by bias; where it may.
    loss_range : float or None
        R, to which differences of losses are cut, for a promise at every number of rows.
    proxies : mapping of str to ProxyDifference, or None
        What a proxy says of the differences, of these rows and of further ones without a label.
    """
    off, helped = slacks or {}, proxies or {}
    gains = _gains_of(columns, metrics, units, off, loss_range, helped)
    is_grouped = units is not None and not units.is_simple
    verdicts = decide(list(gains.values()), [margins[name] for name in gains], confidence)
    p = [gain.p(0.0) for gain in gains.values()]
    share = (1 - confidence) / len(gains)
    found = []
    for place, (name, adjusted) in enumerate(zip(gains, holm(p), strict=True)):
        gain, margin = gains[name], margins[name]
        errors = float(verdicts.error_low[place, 0]), float(verdicts.error_high[place, 0])
        code = int(verdicts.codes[place, 0])
        is_share = metrics[name].is_share or isinstance(gain, ShareGain)
        values = _values(columns[name], metrics[name], gain.ends(*errors), errors)
        if isinstance(gain, BoundedGain) or name in helped:
            # What is promised is about the differences as cut, or with the rows that have no label.
            values["difference"] = sign_of(metrics[name]) * float(gain.value[0])
        found.append(
            Finding(
                metric=name,
                code=code,
                **values,
                margin=margin,
                p=p[place],
                p_holm=float(adjusted),
                p_margin=gain.p(-margin),
                n=int(gain.n),
                more=rows_to_decide(gain, margin, *errors) - gain.n if code == UNDECIDED else 0.0,
                method=_method(gain, metrics[name], is_biased=name in off),
                unit="group" if is_grouped else "row",
                unlabelled=int(getattr(gain, "others", 0)),
                p_flips=_p_flips(columns[name], units) if is_grouped else None,
                effect=(seen := resolution(gain, margin, share, power, is_share=is_share))[0],
                needed=seen[1],
                **assumptions(gain, margin, code, errors),
            )
        )
    return tuple(found)


def _gains_of(
    columns: Mapping[str, Columns],
    metrics: Mapping[str, Metric],
    units: Units | None,
    slacks: Mapping[str, tuple[float, float]],
    loss_range: float | None,
    proxies: Mapping[str, ProxyDifference],
) -> dict[str, Gain]:
    """Return the evidence of each metric's gain, in the metrics' order."""
    return {
        name: gain_of(
            metrics[name],
            *own,
            units,
            reach=reach_of(metrics[name]),
            bound=loss_range,
            slack=slacks.get(name, (0.0, 0.0)),
            proxies=proxies.get(name),
        )
        for name, own in columns.items()
    }


def plain_findings(
    columns: Mapping[str, Columns], metrics: Mapping[str, Metric], margins: Mapping[str, float]
) -> tuple[Finding, ...]:
    """Return the finding of each metric where the rows are all that is asked about: the plain comparison."""
    found = []
    for name, own in columns.items():
        before, after = _means(own)
        # The two means of equal values may differ in the last bits.
        gain = 0.0 if math.isclose(before, after, rel_tol=_ROUNDING) else sign_of(metrics[name]) * (after - before)
        code = BETTER if gain > 0 else NOT_WORSE if gain >= -margins[name] else WORSE
        found.append(
            Finding(
                metric=name,
                code=code,
                **_values(own, metrics[name], (gain, gain), (0.0, 0.0)),
                margin=margins[name],
                p=None,
                p_holm=None,
                p_margin=None,
                n=len(own[0]),
                more=0.0,
                effect=0.0,
                needed=float(len(own[0])),
                method="plain comparison of all rows",
            )
        )
    return tuple(found)


def _method(gain: Gain, metric: Metric, *, is_biased: bool) -> str:
    if metric.is_together and isinstance(gain, ShareGain):
        return f"{gain.method}, as of one that no row changes"
    further = ", further out by what bias may be left" if is_biased else ""
    return f"{gain.method} of the rows' influences{further}" if metric.is_together else gain.method


def _p_flips(columns: Columns, units: Units | None) -> float:
    assert units is not None
    return sign_flip_p(units.totals(np.concatenate(list(differences(*columns)))))


def _values(columns: Columns, metric: Metric, ends: tuple[float, float], errors: tuple[float, float]) -> dict[str, Any]:
    """Return means, difference, its interval and their levels, from the ends of the gain and their errors."""
    before, after = _means(columns)
    if metric.is_share:
        ends = (max(ends[0], -1.0), min(ends[1], 1.0))
    levels = tuple(1 - 2 * error for error in errors)
    if metric.is_better_low:
        # A gain is then the difference turned over.
        ends, levels = (-ends[1], -ends[0]), levels[::-1]
    return {
        "baseline": before,
        "candidate": after,
        "difference": after - before,
        # Not -0, which a difference of 0 may have for its sign.
        "low": ends[0] + 0.0,
        "high": ends[1] + 0.0,
        "level_low": levels[0],
        "level_high": levels[1],
    }


def _means(columns: Columns) -> tuple[float, float]:
    first, second = (float(np.mean(column, dtype=np.float64)) for column in columns)
    for column in columns:
        let_go(column)
    return first, second


def refuse_infinite(columns: Mapping[str, Columns], where: Callable[[int], str]) -> None:
    """Refuse rows whose difference is no finite number.

    Parameters
    ----------
    columns : mapping of str to (ndarray, ndarray) of shape (n,)
        By metric.
    where : callable
        Names a row.

    Raises
    ------
    BadInput
        If there are such; it says how many, and names the first three.
    """
    for name, own in columns.items():
        # A sum is finite only if all that is added up is.
        found = [
            np.flatnonzero(~np.isfinite(block)) + at for at, block in _numbered(own) if not np.isfinite(block.sum())
        ]
        bad = np.concatenate([*found, np.array([], dtype=np.intp)])
        if len(bad):
            named = ", ".join(where(int(row)) for row in bad[:3])
            others = [other for other in columns if other != name]
            raise BadInput(
                f"the {name} of every row must be finite under both models, or it has no difference; found "
                f"{counted(len(bad), 'row')} in which it is not, first {named}: "
                f"{'leave it out with study.on=[' + ','.join(others) + ']' if others else 'mend these rows'}"
            )


def _numbered(columns: Columns) -> Iterator[tuple[int, NDArray[np.float64]]]:
    start = 0
    with np.errstate(invalid="ignore"):
        for block in differences(*columns):
            yield start, block
            start += len(block)
