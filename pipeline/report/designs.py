"""The designs side by side: what each does to the error, and whether its intervals hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from ..metric.columns import in_order
from .by_metric import split
from .result import Table
from .words import NONE, level, percent, ratio

if TYPE_CHECKING:
    import pandas as pd

_SWEEP_CAPTION = "A simple random sample's variance over the design's, at the same number of rows"
# How often any of the unbiased estimates of a run may be called biased by chance.
_FALSE_ALARM = 0.01
# A design of fewer different batches is not ranked.
FEWEST = 100
_IDEAL = ("ideal Neyman: by the standard deviations of all rows, which no one has beforehand; a bound for the pilot's",)
_WIDEST_SWEEP = 5


def tables(rows: Sequence[Mapping[Any, Any]], title: str) -> list[Table]:
    """Return a row per design, in the order given, with the ratios and coverages of the metrics there are.

    Metrics that do not fit make further tables.

    Parameters
    ----------
    rows : sequence of mapping
        ``design, words, metric, is_configured, is_ranked, variance_ratio, drawn_ratio, drawn_ratio_error, coverage``;
        one per design and metric.
    title : str
        What the rows are about.
    """
    metrics = in_order(row["metric"] for row in rows)
    return split(metrics, lambda some, _: _table(rows, some, title))


def _table(rows: Sequence[Mapping[Any, Any]], metrics: Sequence[Metric], title: str) -> Table:
    headings = ("design", *(text for m in metrics for text in (f"{m.short}\nratio", "drawn", "%\nheld")))
    shown: list[tuple[str, ...]] = []
    for design in dict.fromkeys(row["design"] for row in rows):
        own = {row["metric"]: row for row in rows if row["design"] == design}
        first = own[metrics[0].column]
        marks = f"{'' if first['is_ranked'] else ' †'}{' *' if first['is_configured'] else ''}"
        cells = [f"{first['words']}{marks}"]
        for metric in metrics:
            row = own[metric.column]
            cells += [ratio(row["variance_ratio"]), _drawn(row), percent(row["coverage"])]
        shown.append(tuple(cells))
    return Table(title, headings, shown)


def summary(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say which design pays most for each metric, of those that are ranked, and which are worse than none.

    What takes every row's score to plan is left aside, and so is what does better by its few batches alone.
    """
    sentences = []
    for metric in in_order(row["metric"] for row in rows):
        best = best_of([row for row in rows if row["metric"] == metric.column])
        if best is None:
            continue
        if not best["ratio_low"] > 1:
            sentences.append(
                f"For the {metric.words} no design does better than a simple random sample, beyond chance."
            )
            continue
        sentences.append(
            f"For the {metric.words}, {best['words']} does most: {100 * best['rows_needed']:.0f} rows "
            f"({100 / best['ratio_high']:.0f} to {100 / best['ratio_low']:.0f}) tell what 100 of a simple random "
            f"sample do ({best['overrides']})."
        )
    return " ".join([*sentences, *worse(rows)])


def best_of(rows: Sequence[Mapping[Any, Any]]) -> Mapping[Any, Any] | None:
    """Return the row of the largest ratio, of the designs that can be had and are ranked; None if there are none."""
    known = [
        row
        for row in rows
        if not str(row["design"]).endswith("_ideal") and row["is_ranked"] and math.isfinite(row["variance_ratio"])
    ]
    return max(known, key=lambda row: row["variance_ratio"], default=None)


def worse(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Name the designs that are worse than a simple random sample, beyond chance, by a proxy or by the strata."""
    named = [row for row in rows if row["ratio_high"] < 1 and row["variance_ratio"] < 1]
    said = []
    for has_proxy, why in ((True, "Here the proxy is worse than none"), (False, "Worse than a simple random sample")):
        own = [
            f"{row['words']} for the {in_order([row['metric']])[0].words} (ratio {row['variance_ratio']:.2f}, "
            f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
            for row in named
            if bool(row["has_proxy"]) == has_proxy
        ]
        if own:
            said.append(f"{why}: {'; '.join(own)}.")
    return said


def notes(rows: Sequence[Mapping[Any, Any]], confidence: float, draws: int) -> list[str]:
    """Say how to read the table, and which estimates are biased."""
    error = 196 * math.sqrt(confidence * (1 - confidence) / draws)
    said = [
        "ratio: a simple random sample's variance over the design's, both without replacement or both with it, from "
        "the population's scores; 2 is half the rows for the same error. drawn: the same from the draws, ± their "
        "standard error. Neyman strata are drawn over 100 pilots. *: the configured sampling",
        f"held: the share of the configured {level(confidence)} % intervals that hold the population's value; chance "
        f"moves it by {error:.1f}",
        *_IDEAL[: any(str(row["design"]).endswith("_ideal") for row in rows)],
    ]
    said += [*_unranked(rows), _biased(rows)]
    whys: dict[str, list[str]] = {}
    for row in rows:
        if row["why_no_interval"]:
            whys.setdefault(row["why_no_interval"], []).append(f"{row['words']}, {row['metric']}")
    return [*said, *(f"no interval ({'; '.join(who)}): {why}" for why, who in whys.items())]


def _unranked(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Say which designs are not ranked, and why."""
    found = []
    for design in dict.fromkeys(row["design"] for row in rows if not row["is_ranked"]):
        own = [row for row in rows if row["design"] == design]
        batches = own[0]["different_batches"]
        why = [f"{batches:,.0f} different batches"] if batches < FEWEST else []
        as_good = [
            f"{percent(row['orders_as_good'])} % for the {in_order([row['metric']])[0].words}"
            for row in own
            if math.isfinite(row["orders_as_good"])
        ]
        why += [f"of random orders as good: {', '.join(as_good)}"] if as_good else []
        found.append(f"{own[0]['words']} ({'; '.join(why)})")
    return [f"†, not ranked, for its ratio may be luck: {', '.join(found)}"] if found else []


def _biased(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say which estimates are biased, all tested together."""
    biased = [
        f"{row['words']} ({row['metric']}, {row['bias']:+.1f} standard errors of the draws' mean)"
        for row in rows
        if row["bias_p"] <= _FALSE_ALARM
    ]
    together = f"{len(rows):,} tests together, Holm at {100 * _FALSE_ALARM:.0f} %"
    return f"biased ({together}): {'; '.join(biased) if biased else 'none, as far as so many draws tell'}"


def sweep(ratios: pd.DataFrame) -> list[Table]:
    """Return a row per design and a column per batch size, for each group of cells."""
    shown: list[Table] = []
    for group, own in ratios.groupby("group", sort=False):
        metrics = in_order(own["metric"])
        shown += split(metrics, partial(_by_size, own, str(group)))
    return shown


def _by_size(own: pd.DataFrame, group: str, metrics: Sequence[Metric], _is_first: bool) -> Table:
    sizes = sorted(own["batch_size"].unique())[:_WIDEST_SWEEP]
    rows: list[tuple[str, ...]] = []
    for words, design in own.groupby("words", sort=False):
        cells = [str(words)]
        for size in sizes:
            at = design[design["batch_size"] == size]
            by_metric = dict(zip(at["metric"], at["variance_ratio"], strict=True))
            cells.append(" / ".join(ratio(by_metric.get(metric.column, math.nan)) for metric in metrics))
        rows.append(tuple(cells))
    title = ", ".join(filter(None, (f"variance ratio, {_in_row(metrics)}", group)))
    return Table(title, ("design", *(f"b = {size:,}" for size in sizes)), rows)


def sweep_summary(ratios: pd.DataFrame) -> str:
    """Say which design does most at each batch size."""
    sentences = []
    for metric in in_order(ratios["metric"]):
        best = best_of(ratios[ratios["metric"] == metric.column].to_dict("records"))
        if best is not None and best["ratio_low"] > 1:
            sentences.append(
                f"For the {metric.words}, {best['words']} does most, at b = {int(best['batch_size']):,}: a variance "
                f"{best['variance_ratio']:.2f} times smaller ({best['ratio_low']:.2f} to {best['ratio_high']:.2f})."
            )
        elif best is not None:
            sentences.append(
                f"For the {metric.words} no design does better than a simple random sample, beyond chance."
            )
    for size, own in ratios.groupby("batch_size", sort=True):
        at = f"At b = {int(str(size)):,}: " if ratios["batch_size"].nunique() > 1 else ""
        sentences += [f"{at}{said}" for said in worse(own.to_dict("records"))]
    return " ".join(sentences)


def sweep_caption(ratios: pd.DataFrame) -> str:
    """Say what the sweep's figures are."""
    metrics = in_order(ratios["metric"])
    said = [f"{_SWEEP_CAPTION}: {_in_row(metrics)}." if len(metrics) > 1 else f"{_SWEEP_CAPTION}."]
    for _, own in ratios.groupby("batch_size", sort=True):
        said += [f"b = {int(own['batch_size'].iloc[0]):,}: {note}." for note in _unranked(own.to_dict("records"))]
    return " ".join(said)


def _in_row(metrics: Sequence[Metric]) -> str:
    return " / ".join(metric.words for metric in metrics)


def _drawn(row: Mapping[Any, Any]) -> str:
    if math.isnan(row["drawn_ratio"]):
        return NONE
    return f"{ratio(row['drawn_ratio'])}±{row['drawn_ratio_error']:.2f}".replace("±0.", "±.")
