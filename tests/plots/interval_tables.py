"""Made-up tables of what every interval held, in the columns of ``coverage.csv``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.interval import accuracy, loss
from pipeline.study.all_intervals import judge

MEMBERS = {"loss": loss.MEMBERS, "accuracy": accuracy.MEMBERS}

SIZES = (2, 3, 10, 30, 100, 300, 1_000)


def coverage_table(sizes=SIZES, *, groups=("",), names=None, draws=500):
    """Every interval at every size, in the columns that the study writes; the widths and misses are made up."""
    rng = np.random.default_rng(4)
    rows = []
    for group in groups:
        for size in sizes:
            for metric, members in MEMBERS.items():
                for place, name in enumerate(names or members):
                    centre = rng.normal(0, 1, draws)
                    half = 1.96 * (1 - 0.12 * place / np.sqrt(size)) + 2 * (name in ("betting", "sequence"))
                    if name == "bootstrap_t" and size <= 3:
                        half = np.inf
                    if name == "wald" and size <= 10:
                        half = 0.0
                    found = judge(centre - half, centre + half, 0.0)
                    rows.append(
                        {
                            "batch_size": size,
                            "group": group,
                            "metric": metric,
                            "interval": name,
                            "is_configured": name in ("hall", "wilson"),
                            "confidence": 0.95,
                            "draws": draws,
                            **found,
                            "width_ratio": found["width_median"] / 3.92,
                        }
                    )
    return pd.DataFrame(rows)
