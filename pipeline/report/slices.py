"""Slices in words: a table of them, which moved first, which verdicts they have, which differ from the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from ..metric.columns import in_order
from ..records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORDS, WORSE
from .by_metric import split
from .result import Table
from .words import NONE, counted, in_words, shortened, with_interval

if TYPE_CHECKING:
    import pandas as pd

# More slices than this are not all shown: a person reads the ones that stand out.
_MOST_SHOWN = 20
_MOST_NAMED = 5
_LONGEST_NAME = 20
# By verdict, as in the table of candidates.
_MARKS = ("▲", "●", "?", "▼")
_APART = "*"
APART = f"{_APART}: beyond chance by Holm's rule over all slices and metrics"


def known(frame: pd.DataFrame) -> list[Metric]:
    """Return the metrics of a table of slices."""
    return in_order(name.removesuffix("_low") for name in map(str, frame) if name.endswith("_low"))


def by_effect(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the slices by their effect on the first share, or else on the first metric: the worst first."""
    metrics = known(frame)
    first = next((metric for metric in metrics if metric.is_share), metrics[0])
    worst = frame[first.column] if first.is_better_low else -frame[first.column]
    return frame.loc[worst.sort_values(ascending=False, kind="stable").index]


def tables(frame: pd.DataFrame, by: str, *, about: str, significance: float, is_difference: bool = True) -> list[Table]:
    """Return a row a slice, the worst first.

    Parameters
    ----------
    frame : DataFrame
        ``slice, rows`` and of each metric M ``M, M_low, M_high, M_p_holm``; for verdicts ``M_verdict``.
    by : str
        What slices the rows.
    about : str
        The title.
    significance : float
        A p value after Holm below it is marked.
    is_difference : bool
        Whether the values are differences.
    """
    own = by_effect(frame).head(_MOST_SHOWN).to_dict("records")
    if len(frame) > _MOST_SHOWN:
        about = f"{about}: the {_MOST_SHOWN} worst of {len(frame):,}"

    def made(some: Sequence[Metric], _: bool) -> Table:
        head = (by, "rows", *(_heading(metric, is_difference) for metric in some))
        rows: list[tuple[str, ...]] = [
            (
                shortened(str(row["slice"]), _LONGEST_NAME),
                f"{round(row['rows']):,}",
                *(_cell(row, metric, significance, is_difference=is_difference) for metric in some),
            )
            for row in own
        ]
        return Table(about, head, rows)

    return split(known(frame), made)


def first_moved(frame: pd.DataFrame, by: str, significance: float) -> str:
    """Say which slice moved first: the one whose difference is the farthest beyond chance."""
    found = _smallest(frame)
    tests = f"Holm over {counted(_tests(frame), 'test')}"
    if found is None or found[2] >= significance:
        return f"By {by}, no slice has moved beyond chance ({tests})."
    row, metric, _ = found
    is_lower = row[metric.column] < 0
    verdict = "" if metric.is_better_low is None else " better" if is_lower == metric.is_better_low else " worse"
    moved = [own for own, each, p in _all(frame) if p < significance and own["slice"] != row["slice"]]
    others = list(dict.fromkeys(shortened(str(own["slice"]), _LONGEST_NAME) for own in moved))
    more = f"; then {_named(others)}" if others else "; no other slice has moved beyond chance"
    return (
        f"By {by}, {row['slice']} moved first:{verdict} by {metric.words} {_value(row, metric)}, "
        f"p {_p(row[f'{metric.column}_p_holm'])} ({tests}){more}."
    )


def verdicts(frame: pd.DataFrame, by: str) -> str:
    """Say how many slices have which verdict, and name the worse and the better; a slice's is its worst metric's."""
    metrics = known(frame)
    rows = by_effect(frame).to_dict("records")
    codes = [worst_code(row, [metric.column for metric in metrics]) for row in rows]
    parts = []
    for code in (WORSE, UNDECIDED, NOT_WORSE, BETTER):
        own = [shortened(str(row["slice"]), _LONGEST_NAME) for row, its in zip(rows, codes, strict=True) if its == code]
        if own:
            named = f" ({_named(own)})" if code in (WORSE, BETTER) else ""
            parts.append(f"{len(own)} {WORDS[code]}{named}")
    if None in codes:
        parts.append(f"{codes.count(None)} without a value")
    return f"By {by}, of {counted(len(rows), 'slice')}: {in_words(parts)} (Holm over {_tests(frame)} tests)."


def worst_code(row: Mapping[Any, Any], names: Iterable[str]) -> int | None:
    """Return the worst verdict of a slice's metrics; None where none of them has a value there."""
    codes = [float(row[f"{name}_verdict"]) for name in names]
    return max((int(code) for code in codes if not math.isnan(code)), default=None)


def counts_without(frame: pd.DataFrame) -> dict[str, float]:
    """Return ``M/slices_without_value`` of the metrics that have no value in some slice, as it is logged."""
    there = {metric.column: int(frame[metric.column].isna().sum()) for metric in known(frame) if metric.is_together}
    return {f"{name}/slices_without_value": float(count) for name, count in there.items() if count}


def without(frame: pd.DataFrame) -> list[str]:
    """Say in which slices a metric of all rows together has no value."""
    said = []
    for metric in known(frame):
        lost = [str(name) for name in frame.loc[frame[metric.column].isna(), "slice"]] if metric.is_together else []
        if lost:
            names = _named([shortened(name, _LONGEST_NAME) for name in lost])
            said.append(
                f"no {metric.words} in {len(lost):,} of {counted(len(frame), 'slice')} ({names}): a class has no "
                "row there"
            )
    return said


def standing_apart(frame: pd.DataFrame, by: str, significance: float) -> str:
    """Say which slices differ from all other rows beyond chance."""
    tests = f"Holm over {counted(_tests(frame), 'test')}"
    parts = []
    for metric in known(frame):
        own = [row for row in by_effect(frame).to_dict("records") if row[f"{metric.column}_p_holm"] < significance]
        if own:
            named = [f"{shortened(str(row['slice']), _LONGEST_NAME)} ({_short(row, metric)})" for row in own]
            parts.append(f"{metric.words}: {_named(named)}")
    if not parts:
        return f"By {by}, no slice differs from the other rows beyond chance ({tests})."
    return f"By {by}, these differ from all other rows beyond chance ({tests}): {'; '.join(parts)}."


def pooled(values: Sequence[str], name: str) -> list[str]:
    """Name the values that are too rare for slices of their own."""
    if not values:
        return []
    if len(values) == 1:
        return [f"the slice {name} has fewer than 10 rows: its interval says little"]
    return [f"values with fewer than 10 rows are one slice, {name}: {_named(list(values))}"]


def marks(frame: pd.DataFrame, significance: float) -> str:
    """Say what the marks mean."""
    if any(str(name).endswith("_verdict") for name in frame):
        return "▲ better, ● not worse, ? undecided, ▼ worse"
    return f"{APART} (p < {significance:g})"


def _tests(frame: pd.DataFrame) -> int:
    return sum(not math.isnan(p) for _, _, p in _all(frame))


def _all(frame: pd.DataFrame) -> list[tuple[dict[Any, Any], Metric, float]]:
    rows = frame.to_dict("records")
    found = [(row, metric, float(row[f"{metric.column}_p_holm"])) for metric in known(frame) for row in rows]
    # Of equal p values after Holm, the ones before tell which is first.
    return sorted(found, key=lambda own: (own[2], own[0][f"{own[1].column}_p"]) if own[2] == own[2] else (2.0, 0.0))


def _smallest(frame: pd.DataFrame) -> tuple[dict[Any, Any], Metric, float] | None:
    first = _all(frame)[0]
    return None if math.isnan(first[2]) else first


def _named(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return in_words(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMED])} and {more:,} more"


def _heading(metric: Metric, is_difference: bool) -> str:
    unit = metric.short_unit if is_difference else metric.unit
    what = f"{metric.words}{' difference' if is_difference else ''}"
    return f"{what},\n{unit}" if unit else what


def _cell(row: Mapping[Any, Any], metric: Metric, significance: float, *, is_difference: bool) -> str:
    mark = ""
    if f"{metric.column}_verdict" in row:
        code = worst_code(row, [metric.column])
        mark = " " if code is None else _MARKS[code]
    elif f"{metric.column}_p_holm" in row:
        mark = _APART if row[f"{metric.column}_p_holm"] < significance else " "
    return f"{_value(row, metric, unit='', is_difference=is_difference)} {mark}"


def _value(row: Mapping[Any, Any], metric: Metric, unit: str | None = None, *, is_difference: bool = True) -> str:
    value, low, high = (metric.factor * float(row[f"{metric.column}{end}"]) for end in ("", "_low", "_high"))
    if math.isnan(value):
        return NONE
    return with_interval(value, low, high, metric.short_unit if unit is None else unit, signed=is_difference)


def _short(row: Mapping[Any, Any], metric: Metric) -> str:
    return f"{metric.factor * row[metric.column]:.3g}{' ' + metric.unit if metric.unit else ''}"


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 0.0001 else "< 0.0001"
