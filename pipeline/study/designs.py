"""Every design at one batch size: what it does to the error, and whether the intervals still hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..estimation.draws import estimate_draws, misses, variance_ratio
from ..estimation.scored_units import ScoredUnits
from ..experiment import Stages, Study
from ..interval.base import Interval
from ..interval.loss.t import T
from ..records.batches import Estimate
from ..report import designs as tables
from ..report.result import Compared, Result
from ..report.words import counted
from ..sampling.base import Plan
from .planning.chance import bias_p, bias_z, chance_of, plans_of, ratio_range, seeds_of
from .planning.variants import Variant, Watched, variants

if TYPE_CHECKING:
    import pandas as pd

_NAMES = (
    "variance_ratio", "ratio_low", "ratio_high", "drawn_ratio", "drawn_ratio_error", "bias", "coverage", "rows_needed"
)  # fmt: skip


@dataclass
class Designs(Study):
    """Draw `draws` batches of `batch_size` by every design, and hold each against a simple random sample."""

    name: str = "designs"

    def check(self, stages: Stages) -> None:
        """Refuse a batch of more than all rows, which most designs cannot draw, and rows that have no scores."""
        size, batch = stages.units.size, stages.experiment.batch_size
        if batch > size:
            unit = "row" if stages.units.starts is None else "group"
            raise BadInput(
                f"study=designs must have a batch_size of at most the population's {counted(size, unit)}; found "
                f"{batch:,}: choose a smaller one, such as batch_size={max(1, size // 5)}"
            )
        stages.refuse_bad_rows()

    def answer(self, stages: Stages) -> Result:
        """Compare the designs; the metrics are ``<design>/<metric>/<figure>``.

        ``variance_ratio`` is a simple random sample's variance over this design's, from the population, and the mean
        variance over 100 pilots for a design that is made from one; ``drawn_ratio`` the same with the mean squared
        error of the draws, ± ``drawn_ratio_error``, one standard error; ``ratio_low`` and ``ratio_high`` are the limits
        of the ratio over the chance that the design has (`planning.chance.ratio_range`); ``bias`` is in standard errors
        of the draws' mean; ``coverage`` is of the configured intervals; ``rows_needed`` is 1/variance_ratio, the rows
        for the same error, a simple sample's being 1.
        """
        scores, _ = stages.scores()
        rows: list[dict[str, Any]] = []
        left_out: dict[str, list[str]] = {}
        for variant in variants(stages, with_ideal=True):
            watch = Watched(variant.frame, scores, stages.units)
            try:
                rows += compared_draws(variant, watch, stages)
            except BadInput as error:
                left_out.setdefault(str(error), []).append(variant.words)
        for row, p in zip(rows, bias_p([row["bias"] for row in rows]), strict=True):
            row["bias_p"] = float(p)
        metrics = {f"{row['design']}/{row['metric']}/{name}": row[name] for row in rows for name in _NAMES}
        frame, shown = _frame(rows), tables.tables(rows, _about(stages))
        return Result(
            metrics={name: value for name, value in metrics.items() if not math.isnan(value)},
            tables={"designs.csv": frame},
            figures=_figures(frame, stages),
            shown=shown[0],
            further=shown[1:],
            summary=tables.summary(rows),
            notes=[
                *stages.missing,
                *tables.notes(rows, stages.experiment.confidence, stages.experiment.draws),
                *(f"left out ({'; '.join(words)}): {why}" for why, words in left_out.items()),
            ],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Put the cells' ratios in one table, a row a design."""
        ratios = read("designs.csv")
        return Compared({}, tables.sweep(ratios), tables.sweep_summary(ratios), tables.sweep_caption(ratios))


def compared_draws(variant: Variant, watch: Watched, stages: Stages) -> list[dict[str, Any]]:
    """Return what is known and drawn of a design, a row a metric; over its pilots where it has one."""
    asked, (scores, _) = stages.experiment, stages.scores()
    plans = plans_of(variant.sampling, watch.frame, asked.batch_size)
    scored = ScoredUnits(scores, stages.units, plans[0])
    found, whys = _drawn(scored, plans, stages)
    rows = []
    for metric in scored.metrics:
        truth = scored.mean(metric)
        parts = [part[metric] for part in found]
        above, below = misses(np.concatenate([p.low for p in parts]), np.concatenate([p.high for p in parts]), truth)
        error = np.concatenate([p.value for p in parts]) - truth
        ratios = np.array([variance_ratio(replace(scored, plan=plan), metric) for plan in plans])
        ratio = 1 / float(np.mean(1 / ratios)) if len(plans) > 1 else float(ratios[0])
        drawn, drawn_error = _drawn_ratio(error, ratio * _variance(scored, plans, metric))
        chance = chance_of(scored, metric, asked.seed)
        range_low, range_high = ratio_range(ratio, drawn, drawn_error, ratios, chance)
        rows.append(
            {
                "design": variant.key,
                "words": variant.words,
                "metric": metric,
                "is_configured": variant.is_configured,
                "variance_ratio": ratio,
                "ratio_low": range_low,
                "ratio_high": range_high,
                "drawn_ratio": drawn,
                "drawn_ratio_error": drawn_error,
                "bias": bias_z(error),
                "coverage": math.nan if metric in whys else float(np.mean(~(above | below))),
                "rows_needed": 1 / ratio if ratio > 0 else math.nan,
                "different_batches": chance.different,
                "orders_as_good": chance.as_good,
                "is_ranked": chance.is_ranked,
                "has_proxy": watch.is_asked,
                "why_no_interval": whys.get(metric, ""),
                "overrides": variant.overrides,
            }
        )
    return rows


def _variance(scored: ScoredUnits, plans: list[Plan], metric: str) -> float:
    """The variance of one batch's estimate, the mean over the plans."""
    return float(np.mean([scored.error_variance(metric, plan) for plan in plans]))


def _drawn(scored: ScoredUnits, plans: list[Plan], stages: Stages) -> tuple[list[dict[str, Estimate]], dict[str, str]]:
    """The draws with the configured intervals, by plan, and why a metric has none under this design."""
    whys = {}
    # Where the configured interval is refused, one that every design has takes its place; its coverage is not shown.
    intervals: dict[str, Interval] = dict.fromkeys(scored.metrics, T())
    for metric in scored.metrics:
        try:
            interval = stages.experiment.interval.of(stages.metrics[metric])
            interval.check(scored.plan, stages.experiment.interval.target)
        except BadInput as error:
            whys[metric] = str(error)
        else:
            intervals[metric] = interval
    asked, found = stages.experiment, []
    seeds = seeds_of(asked.seed, len(plans))
    for i, draws in enumerate(np.array_split(np.arange(asked.draws), len(plans))):
        if len(draws):
            found.append(
                estimate_draws(
                    replace(scored, plan=plans[i]),
                    intervals,
                    seed=seeds[i],
                    draws=len(draws),
                    confidence=asked.confidence,
                    target=asked.interval.target,
                )
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


def _about(stages: Stages) -> str:
    unit = "rows" if stages.units.starts is None else "groups"
    batches = f"batches of {stages.experiment.batch_size:,}, {stages.experiment.draws:,} draws"
    return f"{stages.rows.name}, {stages.units.size:,} {unit}: {batches}"


def _figures(frame: pd.DataFrame, stages: Stages) -> dict[str, Any]:
    from ..plots import designs

    return {"designs": designs.draw(frame, _about(stages), stages.about)} if len(frame) else {}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
