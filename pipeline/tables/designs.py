"""The designs side by side: what each does to the error, and whether its intervals hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.records import Table

if TYPE_CHECKING:
    import pandas as pd

_SWEEP_CAPTION = "A simple random sample's variance over the design's, at the same number of rows"
_NAMES = ("loss", "accuracy")
_SHORT = {"loss": "loss", "accuracy": "acc."}
# Standard errors of the draws' mean beyond which an estimate counts as biased, of some thirty that are looked at.
_BIASED = 3.5
_IDEAL = ("ideal Neyman: by the standard deviations of all rows, which no one has beforehand; a bound for the pilot's",)
_WIDEST_SWEEP = 5


def table(rows: Sequence[Mapping[Any, Any]], title: str) -> Table:
    """Return a row a design, in the order given, with the ratios and coverages of the metrics there are.

    Parameters
    ----------
    rows : sequence of mapping
        ``design, words, metric, is_configured, variance_ratio, drawn_ratio, drawn_ratio_error, coverage``; one a
        design and metric.
    title : str
        What the rows are about.
    """
    metrics = [metric for metric in _NAMES if any(row["metric"] == metric for row in rows)]
    headings = ("design", *(text for m in metrics for text in (f"{_SHORT[m]}\nratio", "drawn", "%\nheld")))
    shown: list[tuple[str, ...]] = []
    for design in dict.fromkeys(row["design"] for row in rows):
        own = {row["metric"]: row for row in rows if row["design"] == design}
        first = own[metrics[0]]
        cells = [f"{first['words']}{' *' if first['is_configured'] else ''}"]
        for metric in metrics:
            row = own[metric]
            cells += [_ratio(row["variance_ratio"]), _drawn(row), _percent(row["coverage"])]
        shown.append(tuple(cells))
    return Table(title, headings, shown)


def summary(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say which design pays most for each metric, what takes every row's score to plan left aside."""
    sentences = []
    for metric in _NAMES:
        own = [r for r in rows if r["metric"] == metric and not str(r["design"]).endswith("_ideal")]
        known = [row for row in own if math.isfinite(row["variance_ratio"])]
        if not known:
            continue
        best = max(known, key=lambda row: row["variance_ratio"])
        if best["variance_ratio"] <= 1:
            sentences.append(f"For the {metric} no design does better than a simple random sample.")
            continue
        sentences.append(
            f"For the {metric}, {best['words']} does most: {100 * best['rows_needed']:.0f} rows tell what 100 of a "
            f"simple random sample do ({best['overrides']})."
        )
    return " ".join(sentences)


def notes(rows: Sequence[Mapping[Any, Any]], confidence: float, draws: int) -> list[str]:
    """Say how to read the table, and which estimates are biased."""
    error = 196 * math.sqrt(confidence * (1 - confidence) / draws)
    said = [
        "ratio: a simple random sample's variance over the design's, both without replacement or both with it, from "
        "the population's scores; 2 is half the rows for the same error. drawn: the same from the draws, ± their "
        "standard error. *: the configured sampling",
        f"held: the share of the configured {100 * confidence:g} % intervals that hold the population's value; chance "
        f"moves it by {error:.1f}",
        *_IDEAL[: any(str(row["design"]).endswith("_ideal") for row in rows)],
    ]
    biased = [
        f"{row['words']} ({row['metric']}, {row['bias']:+.1f} standard errors of the draws' mean)"
        for row in rows
        if abs(row["bias"]) > _BIASED
    ]
    said.append(f"biased: {'; '.join(biased)}" if biased else "biased: none, as far as so many draws tell")
    whys: dict[str, list[str]] = {}
    for row in rows:
        if row["why_no_interval"]:
            whys.setdefault(row["why_no_interval"], []).append(f"{row['words']}, {row['metric']}")
    return [*said, *(f"no interval ({'; '.join(who)}): {why}" for why, who in whys.items())]


def sweep(ratios: pd.DataFrame) -> list[Table]:
    """Return a row a design and a column a batch size, for each group of cells."""
    shown = []
    for group, own in ratios.groupby("group", sort=False):
        metrics = _metrics_in(own)
        sizes = sorted(own["batch_size"].unique())[:_WIDEST_SWEEP]
        rows: list[tuple[str, ...]] = []
        for words, design in own.groupby("words", sort=False):
            cells = [str(words)]
            for size in sizes:
                at = design[design["batch_size"] == size]
                ratio = dict(zip(at["metric"], at["variance_ratio"], strict=True))
                cells.append(" / ".join(_ratio(ratio.get(metric, math.nan)) for metric in metrics))
            rows.append(tuple(cells))
        title = ", ".join(filter(None, (f"variance ratio, {' / '.join(metrics)}", str(group))))
        shown.append(Table(title, ("design", *(f"b = {size:,}" for size in sizes)), rows))
    return shown


def sweep_summary(ratios: pd.DataFrame) -> str:
    """Say which design does most at each batch size."""
    sentences = []
    practical = ratios[~ratios["design"].str.endswith("_ideal") & ratios["variance_ratio"].map(math.isfinite)]
    for metric in _NAMES:
        own = practical[practical["metric"] == metric]
        if len(own):
            best = own.iloc[int(own["variance_ratio"].argmax())]
            sentences.append(
                f"For the {metric}, {best['words']} does most, at b = {int(best['batch_size']):,}: a variance "
                f"{best['variance_ratio']:.2f} times smaller."
            )
    return " ".join(sentences)


def sweep_caption(ratios: pd.DataFrame) -> str:
    """Say what the sweep's figures are."""
    metrics = _metrics_in(ratios)
    return f"{_SWEEP_CAPTION}: {' / '.join(metrics)}." if len(metrics) > 1 else f"{_SWEEP_CAPTION}."


def _metrics_in(ratios: pd.DataFrame) -> list[str]:
    return [metric for metric in _NAMES if (ratios["metric"] == metric).any()]


def _ratio(value: float) -> str:
    if math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _drawn(row: Mapping[Any, Any]) -> str:
    if math.isnan(row["drawn_ratio"]):
        return "—"
    return f"{_ratio(row['drawn_ratio'])}±{row['drawn_ratio_error']:.2f}".replace("±0.", "±.")


def _percent(share: float) -> str:
    return "—" if math.isnan(share) else f"{100 * share:.1f}".replace("100.0", "100")
