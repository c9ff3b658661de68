"""How many examples each metric needs to see a change with the power asked for, and what the rows at hand establish."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from .compare import known_in, n_key, p_in_words, p_of
from .words import counted, in_words, level, rows_of

if TYPE_CHECKING:
    import pandas as pd


def conclusion(row: Mapping[Any, Any], power: float, significance: float) -> str:
    """Say how many examples each metric needs, why where none suffices, and what these rows alone establish.

    Parameters
    ----------
    row : mapping
        ``population_size`` and the metrics of a cell.
    power, significance : float
        Of the test.
    """
    known = known_in(row)
    if all(math.isinf(row[n_key(metric)]) for metric in known):
        whys = [_why_never(metric, row) for metric in known]
        why = in_words(whys) if len(whys) > 2 else ", and ".join(whys)
        needs = f"No number of examples shows a change: {why}."
    else:
        needed = [_needs(metric, row) for metric in known]
        said = in_words(needed) if len(needed) > 2 else ", ".join(needed)
        # Where no metric's change is established, it would be wrong to name one that shows it sooner.
        is_told = len(known) > 1 and any(_is_seen(metric, row, significance) for metric in known)
        sooner = f": {_which_is_sooner(row)}" if is_told else ""
        needs = f"To see this change with {level(power)} % power, {said}{sooner}."
    return f"{needs} {_established(row, significance)}".strip()


def summary(cells: pd.DataFrame, power: float, significance: float) -> str:
    """Say of a sweep where which metric is the sooner one, and how often the rows tell a change from none at all."""
    if len(cells) == 1:
        return conclusion(cells.to_dict("records")[0], power, significance)
    sentences = []
    for group, own in cells.groupby("group", sort=False):
        rows = own.to_dict("records")
        changes = f"{f'{group!s}: of' if group else 'Of'} {counted(len(rows), 'change')}"
        known = known_in(*rows)
        seen = [f"{sum(_is_seen(each, row, significance) for row in rows)} by the {each.words}" for each in known]
        if len(known) == 1:
            sentences.append(f"{changes}, the rows at hand can tell {in_words(seen)} from none.")
            continue
        sooner = [_sooner(row) for row in rows if len(known_in(row)) > 1]
        counts = [f"the {metric.words} at {sooner.count(metric)}" for metric in known]
        if None in sooner:
            counts.append(f"{'neither' if len(known) == 2 else 'none'} at {sooner.count(None)}")
        at = [f"at {each}" for each in seen]
        sentences.append(
            f"{changes}, fewer examples are needed by {in_words(counts)}. "
            f"The rows at hand can tell a change from none {in_words(at)}."
        )
    return "\n".join(sentences)


def _needs(metric: Metric, row: Mapping[Any, Any]) -> str:
    n = row[n_key(metric)]
    if math.isinf(n):
        return f"the {metric.words} cannot show it with any ({_why_never(metric, row)})"
    return f"the {metric.words} needs {counted(n, 'group' if 'groups' in row else 'example')}"


def _why_never(metric: Metric, row: Mapping[Any, Any]) -> str:
    if metric.is_together:
        return f"the two have the same {metric.words}"
    if not metric.is_share:
        finite = math.isfinite(row.get(f"{metric.column}/difference", math.nan))
        return f"no row's {metric.row_words} changes" if finite else f"a model's mean {metric.words} is infinite"
    gained, lost = (int(row[f"{metric.column}/{how}"]) for how in ("gained", "lost"))
    if gained == lost == 0:
        return "no row turns right or wrong"
    return f"the {gained + lost:,} rows that turn cancel, {gained:,} gained and {lost:,} lost"


def _which_is_sooner(row: Mapping[Any, Any]) -> str:
    sooner = _sooner(row)
    if sooner is None:
        return "neither is sooner" if len(known_in(row)) == 2 else "none is the soonest"
    fewest, second = sorted(row[n_key(metric)] for metric in known_in(row))[:2]
    ratio = second / fewest
    return f"the {sooner.words} is sooner" + (f", by a factor of {ratio:,.3g}" if math.isfinite(ratio) else "")


def _sooner(row: Mapping[Any, Any]) -> Metric | None:
    """Return the metric that needs the fewest examples; None where two need as few."""
    known = sorted(known_in(row), key=lambda metric: float(row[n_key(metric)]))
    return None if row[n_key(known[0])] == row[n_key(known[1])] else known[0]


def _is_seen(metric: Metric, row: Mapping[Any, Any], significance: float) -> bool:
    return p_of(metric, row) < significance


def _established(row: Mapping[Any, Any], significance: float) -> str:
    """Say which changes the rows at hand tell from none; a number that rests on one that they do not is a guess."""
    rows = rows_of(row) if "groups" not in row else f"{int(row['groups']):,} groups"
    tested = [metric for metric in known_in(row) if not math.isnan(p_of(metric, row))]
    said_of = {metric.column: f"{metric.words} ({p_in_words(p_of(metric, row))})" for metric in tested}
    seen = [metric for metric in tested if _is_seen(metric, row, significance)]
    guesses = [metric for metric in tested if metric not in seen and math.isfinite(row[n_key(metric)])]
    parts = []
    if seen:
        parts.append(
            f"These {rows} establish the change of the {in_words([said_of[m.column] for m in seen], each='of the ')}"
        )
    if guesses:
        what = in_words([said_of[m.column] for m in guesses], each="of the ")
        said = "but cannot tell that" if seen else f"These {rows} cannot tell the change"
        which = (
            "that number is a guess"
            if len(guesses) == 1
            else f"{'both' if len(guesses) == 2 else 'all'} numbers are guesses"
        )
        parts.append(f"{said} of the {what} from none: {which}")
    return f"{', '.join(parts)}." if parts else ""
