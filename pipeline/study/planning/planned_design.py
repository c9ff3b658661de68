"""A design's plan: the fewest rows, what they cost, and what every other size would be within."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import BadInput
from ...estimation.sample_size import quantile
from ...experiment import Stages
from ...records.rows import Dataset
from ...runtime.timing import median_seconds
from ...sampling.epoch import Epoch
from ...sampling.units import Units
from ...sampling.with_replacement import WithReplacement
from ...sampling.without_replacement import WithoutReplacement
from .basis import Basis
from .variants import Variant, Watched, is_told_by_sample, needs_proxy

_CURVE_POINTS = 32
# Simple random samples, of which the population's variance says all.
_SIMPLE = (WithReplacement, WithoutReplacement, Epoch)


@dataclass(frozen=True, eq=False)
class Planned:
    """A design's plan.

    Attributes
    ----------
    variant, watch
        The design, and what it asked for.
    n : dict of str to float
        The fewest units by metric; nan where it cannot be said.
    units : Units
        What is counted.
    seconds_a_row, proxy_seconds : float
        Of scoring, and of the proxy's pass over all rows where the design asks for it; ``nan`` where there is nothing
        to evaluate.
    """

    variant: Variant
    watch: Watched
    n: dict[str, float]
    units: Units
    seconds_a_row: float
    proxy_seconds: float

    @property
    def both(self) -> float:
        """The units that all metrics need."""
        return math.nan if any(math.isnan(n) for n in self.n.values()) else max(self.n.values())

    @property
    def seconds(self) -> float:
        """To evaluate as many, the proxy's pass and the design's own pilot included."""
        rows = self.both * self.units.n_rows / self.units.size + self.watch.pilot_rows
        return rows * self.seconds_a_row + self.proxy_seconds

    def row(self) -> dict[str, Any]:
        """What the tables show."""
        times = {"proxy_seconds": self.proxy_seconds, "seconds": self.seconds}
        return {
            "design": self.variant.key,
            "words": self.variant.words,
            "is_configured": self.variant.is_configured,
            **{f"{metric}_n": n for metric, n in self.n.items()},
            "n": self.both,
            "pilot_rows": self.watch.pilot_rows,
            **(times if not math.isnan(self.seconds_a_row) else {}),
            "overrides": self.variant.overrides,
        }


def why_left_out(variant: Variant, watch: Watched, basis: Basis, stages: Stages) -> str:
    """Say why a design has no plan here; nothing if it has one."""
    try:
        if not (isinstance(stages.rows, Dataset) or variant.is_configured or isinstance(variant.sampling, _SIMPLE)):
            return "it holds something of every row in memory, and the rows are streamed from disk: raise data.memory"
        if getattr(variant.sampling, "by", "") == "label" and stages.rows.labels is None:
            return "the rows have no labels"
        has_none = stages.classifier.gives in ("labels", "scores") and variant.proxy.name in ("confidence", "entropy")
        if not (basis.may_ask or has_none) and needs_proxy(variant.sampling, watch.frame):
            return (
                "a pass of the proxy over all rows may cost what the pilot saves; a configured sampling that makes it "
                "anyway, such as difference, brings these in"
            )
        plan = variant.sampling.plan(watch.frame, watch.frame.size)
    except BadInput as error:
        return str(error)
    if basis.is_pilot and not is_told_by_sample(variant.sampling, plan):
        return "a pilot tells too little of rows drawn by their order or with unequal chances"
    return ""


def seconds_of_pass(variant: Variant, stages: Stages) -> float:
    """Measure the proxy's pass over all rows."""
    return median_seconds(
        lambda: variant.proxy.guess(stages.rows, stages.classifier, data=stages.experiment.data), at_least=1, at_most=1
    )


def curves_of(plans: Sequence[Planned], basis: Basis, confidence: float) -> list[dict[str, Any]]:
    """What a batch is within, z · SE, by design and size: the plan for every tolerance."""
    simple = [n for plan in plans for n in plan.n.values() if math.isfinite(n)]
    if not simple:
        return []
    size = plans[0].watch.frame.size
    sizes = np.geomspace(max(2.0, min(simple) / 30), max(size, 30 * max(simple)), _CURVE_POINTS)
    rows = []
    # Where no row comes twice, the last few of them bend the curve.
    sizes = np.unique(np.rint([*sizes, *(size * np.array([0.8, 0.9, 0.95, 0.98, 0.99, 0.995]))])).astype(int)
    for plan in plans:
        for n in sizes.tolist():
            try:
                drawn = plan.variant.sampling.plan(plan.watch.frame, n)
            except BadInput:
                continue
            if not drawn.is_exchangeable:
                break  # It goes up and down with every n: no curve.
            reach = {}
            for metric in basis.metrics:
                variance = basis.error_variance(drawn, metric)
                reach[f"{metric}_within"] = quantile(confidence) * math.sqrt(variance) if variance >= 0 else math.nan
            rows.append({"design": plan.variant.key, "words": plan.variant.words, "n": n, **reach})
    return rows
