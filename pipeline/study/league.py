"""Several models on the same rows: who is ahead, and whose rank is how sure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..estimation.league import League, league_of
from ..experiment import Stages
from ..report import league as told
from ..report.result import Compared, Result, Table
from .paired.many import Field

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Parquet is what a comparison of finished cells reads.
TABLE = "league.parquet"


def league_result(field: Field, stages: Stages) -> Result:
    """Return the answer about several models: a league table with ranks, all pairs, and a picture.

    Parameters
    ----------
    field : Field
        The models' values.
    stages : Stages
        The rows and what is asked.
    """
    from ..plots import league as picture

    asked = stages.experiment
    leagues = {
        name: league_of(
            np.asarray(field.values[name], dtype=np.float64),
            is_better_low=bool(metric.is_better_low),
            confidence=asked.confidence,
            units=stages.units,
            seed=asked.seed,
        )
        for name, metric in field.metrics.items()
    }
    frame = _frame(field, leagues)
    pairs = _pairs(field, leagues)
    about = f"{stages.rows.name}, {len(stages.rows):,} rows"
    shown = told.tables(frame, about=about, confidence=asked.confidence)
    return Result(
        metrics={"models": float(len(field.names)), **_metrics(leagues)},
        answer=told.answer(frame, about=about, confidence=asked.confidence),
        shown=shown[0],
        further=shown[1:],
        summary=told.summary(frame),
        notes=[told.note(asked.confidence, is_grouped=not stages.units.is_simple), *field.lacking],
        tables={"league.csv": frame, TABLE: frame, "pairs.csv": pairs},
        figures={"league": picture.draw(frame, about, asked.confidence)},
    )


def _frame(field: Field, leagues: Mapping[str, League]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, object] = {"model": list(field.names)}
    for name, own in leagues.items():
        columns |= {name: own.values, f"{name}_place": own.place}
        columns |= {f"{name}_rank_low": own.rank_low, f"{name}_rank_high": own.rank_high}
    return pd.DataFrame(columns)


def _pairs(field: Field, leagues: Mapping[str, League]) -> pd.DataFrame:
    import pandas as pd

    first, second = np.triu_indices(len(field.names), 1)
    names = np.array(field.names, dtype=object)
    columns: dict[str, object] = {"model": names[second], "against": names[first]}
    for name, own in leagues.items():
        for called, table in (("", own.difference), ("_low", own.low), ("_high", own.high), ("_p", own.p)):
            columns[f"{name}{called}"] = table[second, first]
    return pd.DataFrame(columns)


def _metrics(leagues: Mapping[str, League]) -> dict[str, float]:
    """Return how many models may be the best, and how many pairs are told apart, by metric."""
    found: dict[str, float] = {}
    for name, own in leagues.items():
        apart = np.triu((own.low > 0) | (own.high < 0), 1)
        found |= {f"{name}/may_be_best": float(np.sum(own.rank_low == 1)), f"{name}/pairs_apart": float(apart.sum())}
    return found


def ranked(cells: pd.DataFrame, found: pd.DataFrame) -> Compared:
    """Return the league tables of finished cells: of a single one with its picture, of several one below the other."""
    from ..plots import league as picture

    shown: list[Table] = []
    said: list[str] = []
    figures: dict[str, Figure] = {}
    summary = ""
    parts = found.groupby(list(found.columns[: list(found.columns).index("model")]), sort=False)
    for (_, own), cell in zip(parts, cells.to_dict("records"), strict=True):
        frame = own.loc[:, "model":].reset_index(drop=True)
        about = f"{cell['group'] or cell['population']}, {round(cell['population_size']):,} rows"
        shown += told.tables(frame, about=about, confidence=float(cell["confidence"]))
        said.append(told.answer(frame, about=about, confidence=float(cell["confidence"])))
        figures = {"league": picture.draw(frame, about, float(cell["confidence"]))} if len(cells) == 1 else {}
        summary = told.summary(frame) if len(cells) == 1 else ""
    caption = told.note(float(cells["confidence"].iloc[0]), is_grouped=False)
    return Compared(figures, shown, summary, f"{caption[:1].upper()}{caption[1:]}.", "\n".join(said))
