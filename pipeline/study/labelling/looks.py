"""What was known after each round of labels: looks, as a table and as curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...estimation.active_testing import ActiveTest
from ...report.label import Look
from ...report.until import Found

if TYPE_CHECKING:
    import pandas as pd


def look_at(test: ActiveTest, confidence: float) -> Look:
    """Return what all labels of a test say, and how wide the interval after a simple sample of as many would be."""
    found = {}
    for metric, own in test.estimates(confidence).items():
        ends = (own.value, own.low, own.high)
        if metric == "accuracy":
            # Estimated by its errors.
            ends = (1 - own.value, 1 - own.high, 1 - own.low)
        most = math.inf if metric == "loss" else 1.0
        found[metric] = Found(*(float(np.clip(end, 0.0, most)) for end in ends))
    return Look(test.labelled, found, test.simple(confidence))


def frame_of(looks: Sequence[Look]) -> pd.DataFrame:
    """Return a row a look, as ``looks.csv`` has it."""
    import pandas as pd

    rows = []
    for look in looks:
        row: dict[str, float] = {"labels": look.labels}
        for metric, found in look.found.items():
            row |= {metric: found.mean, f"{metric}_low": found.low, f"{metric}_high": found.high}
            row |= {f"{metric}_half_width": found.half_width, f"{metric}_simple": look.simple[metric]}
        rows.append(row)
    return pd.DataFrame(rows)


def series_of(looks: Sequence[Look]) -> list[tuple[str, float, int]]:
    """What was known, by labels given; under names of their own, for ``loss/mean`` is the last one alone."""
    return [
        (f"{metric}/seen{end}", value, look.labels)
        for look in looks
        for metric, found in look.found.items()
        for end, value in (
            ("", found.mean),
            ("_low", found.low),
            ("_high", found.high),
            ("_half_width", found.half_width),
        )
    ]
