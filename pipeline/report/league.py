"""The league table of several models, and who is ahead in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from ..metric.columns import in_order
from .by_metric import split
from .result import Table
from .words import counted, in_words, level, shortened

if TYPE_CHECKING:
    import pandas as pd

_PLACE = "_place"
_LONGEST_NAME = 24
_MOST_NAMED = 5


def known(frame: pd.DataFrame) -> list[Metric]:
    """Return the metrics of a league table."""
    return in_order(name.removesuffix(_PLACE) for name in map(str, frame) if name.endswith(_PLACE))


def place(row: Any, metric: Metric, ties: int) -> str:
    """Write a model's place and the ranks that are possible: ``2 [1–3]``; with ``=`` where it shares the place."""
    low, high = round(row[f"{metric.column}_rank_low"]), round(row[f"{metric.column}_rank_high"])
    shared = "=" if ties > 1 else ""
    return f"{round(row[f'{metric.column}{_PLACE}'])}{shared} {ranks(low, high)}"


def ranks(low: int, high: int) -> str:
    """Write an interval of ranks: ``[1–3]``, or ``[2]``."""
    return f"[{low}]" if low == high else f"[{low}–{high}]"


def tables(frame: pd.DataFrame, *, about: str, confidence: float) -> list[Table]:
    """Return a row a model, by the place in the first metric.

    Parameters
    ----------
    frame : DataFrame
        ``model``, and of each metric M ``M, M_place, M_rank_low, M_rank_high``.
    about : str
        The rows.
    confidence : float
        Of the ranks.
    """
    metrics = known(frame)
    rows = frame.sort_values(f"{metrics[0].column}{_PLACE}", kind="stable")
    shared = {metric.column: frame[f"{metric.column}{_PLACE}"].value_counts() for metric in metrics}
    title = f"{about}: {counted(len(frame), 'model')}, place [possible ranks, {level(confidence)} %]"

    def made(some: Sequence[Metric], _: bool) -> Table:
        head = ("model", *(heading for metric in some for heading in (_heading(metric), "place\n[ranks]")))
        body: list[tuple[str, ...]] = [
            (
                shortened(str(row["model"]), _LONGEST_NAME),
                *(
                    cell
                    for metric in some
                    for cell in (
                        f"{metric.factor * row[metric.column]:.{metric.digits}f}",
                        place(row, metric, shared[metric.column][row[f"{metric.column}{_PLACE}"]]),
                    )
                ),
            )
            for row in rows.to_dict("records")
        ]
        return Table(title, head, body)

    return split(metrics, made)


def answer(frame: pd.DataFrame, *, about: str, confidence: float) -> str:
    """Say which models may be the best, by metric."""
    parts = []
    for metric in known(frame):
        may = frame[frame[f"{metric.column}_rank_low"] == 1].sort_values(f"{metric.column}{_PLACE}", kind="stable")
        names = [shortened(str(name), _LONGEST_NAME) for name in may["model"]]
        if len(names) == 1:
            parts.append(f"by {metric.words} {names[0]} is the best")
        elif len(names) == len(frame):
            parts.append(f"by {metric.words} any of the {len(names)} may be the best ({names[0]} is ahead)")
        else:
            named = in_words(names) if len(names) <= _MOST_NAMED else f"{names[0]} and {len(names) - 1} more"
            parts.append(f"by {metric.words} the best is one of {len(names)}: {named}")
    return f"Of {counted(len(frame), 'model')}, {'; '.join(parts)} ({about}, {level(confidence)} %)."


def summary(frame: pd.DataFrame) -> str:
    """Say how many models have a rank that is sure."""
    said = []
    for metric in known(frame):
        sure = int((frame[f"{metric.column}_rank_low"] == frame[f"{metric.column}_rank_high"]).sum())
        said.append(f"{sure} by {metric.words}")
    return f"Models whose rank is sure: {in_words(said)}."


def note(confidence: float, *, is_grouped: bool) -> str:
    """Say how the ranks were made."""
    unit = " groups of them" if is_grouped else ""
    return (
        f"all pairs on the same rows{unit}, with simultaneous intervals by max-t (multiplier bootstrap, 10,000 draws): "
        f"all ranks hold at once with {level(confidence)} %; [a–b]: 1 + the number significantly better … the number "
        "of models less those significantly worse; =: the same value"
    )


def _heading(metric: Metric) -> str:
    return f"{metric.words},\n{metric.unit}" if metric.unit else metric.words
