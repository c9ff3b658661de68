"""From two models' values of the same rows to the judgement that a gate reports."""

from __future__ import annotations

from collections.abc import Mapping

from ...estimation.prediction_powered import ProxyDifference
from ...metric.base import Metric
from ...records.verdict import Judgement
from ...sampling.units import Units
from .error_rates import check_of
from .findings import Columns, findings_of, plain_findings


def judgement_of(
    columns: Mapping[str, Columns],
    metrics: Mapping[str, Metric],
    margins: Mapping[str, float],
    *,
    names: tuple[str, str],
    digests: tuple[str, str],
    confidence: float,
    power: float,
    seed: int,
    is_exact: bool = False,
    is_checked: bool = True,
    units: Units | None = None,
    slacks: Mapping[str, tuple[float, float]] | None = None,
    loss_range: float | None = None,
    proxies: Mapping[str, ProxyDifference] | None = None,
) -> Judgement:
    """Judge the candidate by each metric.

    Parameters
    ----------
    columns : mapping of str to (ndarray, ndarray) of shape (n,)
        The values of all rows under baseline and candidate, by metric, finite.
    metrics, margins : mapping of str to Metric, and to float
        By metric.
    names, digests : (str, str)
        Of baseline and candidate.
    confidence, power : float
    seed : int
        Of the samples of the check.
    is_exact : bool
        Whether the rows are all that is asked about; they are then compared as they are.
    is_checked : bool
        Whether the baseline is held against itself on rows that are drawn anew.
    units : Units or None
        Rows, or groups of them; None is rows.
    slacks : mapping of str to (float, float), or None
        As `findings_of` has them.
    loss_range : float or None
        R, to which differences of losses are cut; None promises nothing of losses without a bound.
    proxies : mapping of str to ProxyDifference, or None
        As `findings_of` has them.
    """
    if is_exact:
        found = plain_findings(columns, metrics, margins)
    else:
        found = findings_of(
            columns,
            metrics,
            margins,
            confidence=confidence,
            power=power,
            units=units,
            slacks=slacks,
            loss_range=loss_range,
            proxies=proxies,
        )
    check = None
    if is_checked and not is_exact:
        check = check_of(
            columns, metrics, margins, confidence=confidence, seed=seed, units=units, loss_range=loss_range
        )
    return Judgement(*names, digests, found, confidence, power, seed, is_exact, check)
