"""Every design at one batch size: what it does to the error, and whether the intervals still hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.draws import Scored, estimate_draws, misses, variance_ratio
from pipeline.errors import BadInput
from pipeline.interval.loss.t import T
from pipeline.records import Estimate
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.study.evaluate import population_scores, refuse_bad_rows
from pipeline.study.variants import Variant, Watched, variants
from pipeline.tables import designs as tables

if TYPE_CHECKING:
    import pandas as pd

_NAMES = ("variance_ratio", "drawn_ratio", "drawn_ratio_error", "bias", "coverage", "rows_needed")


@dataclass
class Designs(Study):
    """Draw `draws` batches of `batch_size` by every design, and hold each against a simple random sample."""

    name: str = "designs"

    metrics_used: ClassVar[str] = "main"

    def check(self, setting: Setting) -> None:
        """Refuse rows that have no scores."""
        refuse_bad_rows(setting)

    def answer(self, setting: Setting) -> Result:
        """Compare the designs; the metrics are ``<design>/<metric>/<figure>``.

        ``variance_ratio`` is a simple random sample's variance over this design's, from the population;
        ``drawn_ratio`` the same with the mean squared error of the draws, ± ``drawn_ratio_error``, one standard error;
        ``bias`` is in standard errors of the draws' mean, so beyond 3 there is one; ``coverage`` is of the configured
        intervals; ``rows_needed`` is 1/variance_ratio, the rows for the same error, a simple sample's being 1.
        """
        scores, _ = population_scores(setting)
        rows: list[dict[str, Any]] = []
        left_out: dict[str, list[str]] = {}
        for variant in variants(setting, with_ideal=True):
            watch = Watched(variant.frame, scores, setting.units)
            try:
                scored = Scored(scores, setting.units, variant.sampling.plan(watch.frame, setting.batch_size))
                rows += _compared(variant, scored, setting)
            except BadInput as error:
                left_out.setdefault(str(error), []).append(variant.words)
        metrics = {f"{row['design']}/{row['metric']}/{name}": row[name] for row in rows for name in _NAMES}
        frame = _frame(rows)
        return Result(
            metrics={name: value for name, value in metrics.items() if not math.isnan(value)},
            tables={"designs.csv": frame},
            figures=_figures(frame, setting),
            shown=tables.table(rows, _about(setting)),
            summary=tables.summary(rows),
            notes=[
                *setting.missing,
                *tables.notes(rows, setting.confidence, setting.draws),
                *(f"left out ({'; '.join(words)}): {why}" for why, words in left_out.items()),
            ],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Put the cells' ratios in one table, a row a design."""
        ratios = read("designs.csv")
        return Compared({}, tables.sweep(ratios), tables.sweep_summary(ratios), tables.sweep_caption(ratios))


def _compared(variant: Variant, scored: Scored, setting: Setting) -> list[dict[str, Any]]:
    """What is known and drawn of a design, a row a metric."""
    estimates, whys = _estimates(scored, setting)
    rows = []
    for metric in scored.metrics:
        estimate, truth = estimates[metric], scored.mean(metric)
        error = estimate.value - truth
        ratio = variance_ratio(scored, metric)
        drawn, drawn_error = _drawn_ratio(error, ratio * scored.error_variance(metric))
        spread = float(error.std())
        above, below = misses(estimate.low, estimate.high, truth)
        rows.append(
            {
                "design": variant.key,
                "words": variant.words,
                "metric": metric,
                "is_configured": variant.is_configured,
                "variance_ratio": ratio,
                "drawn_ratio": drawn,
                "drawn_ratio_error": drawn_error,
                "bias": float(error.mean()) / (spread / math.sqrt(len(error))) if spread > 0 else math.nan,
                "coverage": math.nan if metric in whys else float(np.mean(~(above | below))),
                "rows_needed": 1 / ratio if ratio > 0 else math.nan,
                "why_no_interval": whys.get(metric, ""),
                "overrides": variant.overrides,
            }
        )
    return rows


def _estimates(scored: Scored, setting: Setting) -> tuple[dict[str, Estimate], dict[str, str]]:
    """The draws with the configured intervals, and why a metric has none under this design."""
    whys = {}
    for metric in scored.metrics:
        try:
            setting.interval.of(metric).check(scored.plan, setting.interval.target)
        except BadInput as error:
            whys[metric] = str(error)
    # An interval that every design has stands in, and what it holds is not looked at.
    intervals = {metric: T() if metric in whys else setting.interval.of(metric) for metric in scored.metrics}
    found = estimate_draws(
        scored,
        intervals,
        seed=setting.seed,
        draws=setting.draws,
        confidence=setting.confidence,
        target=setting.interval.target,
    )
    return found, whys


def _drawn_ratio(error: NDArray[np.float64], simple: float) -> tuple[float, float]:
    """A simple sample's variance over the draws' mean squared error, and the standard error of that."""
    squares = error * error
    mean = float(squares.mean())
    if not (mean > 0 and math.isfinite(mean) and math.isfinite(simple)):
        return math.nan, math.nan
    # To first order, the relative error of 1/x is that of x.
    relative = float(squares.std()) / mean / math.sqrt(len(squares))
    return simple / mean, simple / mean * relative


def _about(setting: Setting) -> str:
    unit = "rows" if setting.units.starts is None else "groups"
    batches = f"batches of {setting.batch_size:,}, {setting.draws:,} draws"
    return f"{setting.dataset.name}, {setting.units.size:,} {unit}: {batches}"


def _figures(frame: pd.DataFrame, setting: Setting) -> dict[str, Any]:
    from pipeline.plots import designs

    return {"designs": designs.draw(frame, _about(setting))} if len(frame) else {}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
