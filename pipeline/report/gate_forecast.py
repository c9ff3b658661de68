"""What a gate could see, told from the baseline alone: in words, and as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..metric.base import Metric
from ..records.verdict import CORRELATIONS, Prospect
from .result import Table
from .words import count, counted, in_words, level, significant


def forecast_sentence(
    found: Sequence[Prospect], metrics: Mapping[str, Metric], *, confidence: float, power: float
) -> str:
    """Return the answer in a sentence.

    Parameters
    ----------
    found : sequence of Prospect
        At least one.
    metrics : mapping of str to Metric
        Theirs.
    confidence, power : float
        As configured.
    """
    seen = []
    for own in found:
        metric, (apart, alike) = metrics[own.metric], own.effects[:2]
        if math.isinf(alike):
            seen.append(f"no difference in the {metric.words}")
            continue
        seen.append(f"a difference of {_amount(alike, metric)} to {_amount(apart, metric)} in the {metric.words}")
    return (
        f"On {counted(found[0].n, 'row')} a gate sees {in_words(seen)}, with {level(power)} % power at "
        f"{level(confidence)} %: the less the two models have in common, the larger it must be."
    )


def forecast_table(found: Sequence[Prospect], metrics: Mapping[str, Metric], *, about: str, power: float) -> Table:
    """Return a row for each metric and correlation.

    Parameters
    ----------
    found, metrics
        As `forecast_sentence` has them.
    about : str
        The rows.
    power : float
        As configured.
    """
    rows: list[tuple[str, ...]] = []
    for own in found:
        metric = metrics[own.metric]
        label = f"{metric.words}, {metric.unit}" if metric.unit else metric.words
        for correlation, effect, needed in zip(CORRELATIONS, own.effects, own.needed, strict=True):
            effects = smallest_seen(effect, metric)
            rows.append((label, f"{correlation:g}", effects, f"{metric.factor * own.margin:g}", count(needed)))
    heading = (
        "",
        "correlation of\nthe models",
        f"smallest difference\nseen, {level(power)} % power",
        "margin",
        "rows that\nshow it",
    )
    return Table(f"{about}, {counted(found[0].n, 'row')}", heading, rows)


def smallest_seen(effect: float, metric: Metric) -> str:
    """Write the smallest difference that is seen, for a table: ``none`` where it is larger than any that there is."""
    return "none" if effect > metric.span or math.isinf(effect) else significant(metric.factor * effect)


def _amount(effect: float, metric: Metric) -> str:
    if effect > metric.span:
        return f"more than {_amount(metric.span, metric)}"
    return " ".join(filter(None, [significant(metric.factor * effect), metric.short_unit]))
