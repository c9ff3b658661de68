"""The table of metrics of all rows together, and the note on those without a value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..metric.together import TOGETHER
from .result import Table
from .words import counted, decimals, in_words, level, significant, with_interval

# With fewer rows of a class, intervals of what is made of the classes may be too narrow.
_FEW = 30


@dataclass(frozen=True)
class Shown:
    """A metric of all rows together.

    Attributes
    ----------
    name, words : str
        In figures, and for people.
    value, low, high : float
        In [0, 1]; the ends are ``nan`` where there is no interval.
    debiased : float or None
        The value less its bias, around which the interval is; None where it has no such.
    """

    name: str
    words: str
    value: float
    low: float
    high: float
    debiased: float | None = None


def tables(shown: Sequence[Shown], about: str) -> list[Table]:
    """Return the table, a row a metric; none where there are no metrics."""
    if not shown:
        return []
    rows: list[tuple[str, ...]] = []
    for own in shown:
        unit, factor = TOGETHER[own.name].unit, TOGETHER[own.name].factor
        centre = own.value if own.debiased is None else own.debiased
        label = own.words if own.debiased is None else f"{own.words}, debiased"
        value, low, high = factor * centre, factor * own.low, factor * own.high
        said = f"{significant(value)} {unit}".strip() if math.isnan(low) else with_interval(value, low, high, unit)
        rows.append((label, said))
        if own.debiased is not None:
            half = (high - low) / 2
            digits = decimals(half) if 0 < half < math.inf else 1
            rows.append((f"{own.words}, not debiased", f"{factor * own.value:.{digits}f} {unit}"))
    return [Table(f"{about}, all together", ("metric", "value"), rows)]


def notes(shown: Sequence[Shown], without: Mapping[str, str], confidence: float) -> list[str]:
    """Say how the intervals were made, and which metrics have no value, and why."""
    said = []
    if shown:
        said.append(
            "all together: by each row's influence on the metric, Student's t on the log-odds, "
            f"{level(confidence)} %; of an AUC of two classes that is DeLong's; the calibration error has 15 bins of "
            "equal width, and its interval is around the debiased value"
        )
    said += [f"no {TOGETHER[name].words}: {why}" for name, why in without.items()]
    return said


def difference_notes(
    names: Sequence[str], *, n_classes: int, fewest: int, is_sample: bool = True, has_room: bool = False
) -> list[str]:
    """Say how the differences of two models' metrics were made, and where few rows stand behind them.

    Parameters
    ----------
    names : sequence of str
        The metrics, at least one.
    n_classes, fewest : int
        Classes, and the rows of the rarest of them.
    is_sample : bool
        Whether the rows are a sample of a world.
    has_room : bool
        Whether the intervals leave room for rows of the rarest class that were not seen, as a gate's do.
    """
    said = []
    if "auc" in names and n_classes == 2:
        said.append("AUC: the variance of the difference is DeLong's, with the covariance of the two")
    elif "auc" in names:
        said.append("AUC: the mean over the classes, each one against the rest")
    if "ece" in names:
        how = ", both values debiased" if is_sample else ""
        said.append(f"{TOGETHER['ece'].words}: 15 bins of equal width{how}")
    of_classes = [TOGETHER[name].words for name in names if name != "ece"]
    if of_classes and fewest < _FEW and is_sample and not has_room:
        said.append(
            f"the rarest class has {counted(fewest, 'row')}: the intervals of {in_words(of_classes)} rest on these few "
            "and may be too narrow"
        )
    return said
