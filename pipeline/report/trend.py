"""A model over weeks: the sentence that says whether it has changed, and a table by date."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from .result import Table
from .series import About, Alarm, MetricTrend, Value
from .words import NONE, counted, decimals, fixed, in_words, level, shortened, significant

if TYPE_CHECKING:
    import pandas as pd

_SMALLEST_P = 0.0001
_LONGEST_LABEL = 14
_NO_INTERVAL = "(no interval)"
CAPTION = "Alarm: the first date of each trend's own; several trends together have as many chances of a false one."


def alarms(found: Mapping[str, MetricTrend], about: About) -> list[Alarm]:
    """Return the first alarm of each metric that has one, the earliest and clearest first."""
    there = (trend.alarm(about.confidence) for trend in found.values())
    return sorted((own for own in there if own is not None), key=lambda own: (own.at, own.p))


def answer(found: Mapping[str, MetricTrend], about: About) -> str:
    """Say in a sentence how the newest file differs from the reference, and whether and when there is an alarm."""
    raised = alarms(found, about)
    if not raised:
        tested = [trend for trend in found.values() if trend.smallest is not None] or list(found.values())
        # Shares come first: everybody knows what a point of accuracy is.
        shown = next((trend for trend in tested if trend.metric.is_share), tested[0])
        if shown.smallest is None:
            return f"No change can be tested: {_infinite(shown, about)}. {_capital(_differs(shown, about))}."
        return f"No change beyond chance in {counted(len(about.labels), 'file')}: {_differs(shown, about)}."
    first = raised[0]
    also = [own.metric.words for own in raised[1:] if own.at == first.at]
    where = f"alarm at {about.labels[first.at]}" + (f", by the {in_words(also)} too" if also else "")
    return f"{_capital(_differs(found[first.metric.column], about))}; {where}: {_split(first, about)}."


def tables(found: Mapping[str, MetricTrend], about: About) -> list[Table]:
    """Return a table for each metric, with a row for each file."""
    return [_table(trend, about) for trend in found.values()]


def frame(found: Mapping[str, MetricTrend], about: About) -> pd.DataFrame:
    """Return a row for each file, as ``trend.csv`` has it; differences in the metric's own unit."""
    import pandas as pd

    columns: dict[str, Any] = {"file": about.labels, "rows": about.rows}
    if about.days is not None:
        columns["days"] = about.days
    columns["reference"] = [at == about.reference for at in range(len(about.labels))]
    columns["alarm"] = [
        any(trend.looks[at] is not None and trend.looks[at].p <= 1 - about.confidence for trend in found.values())  # type: ignore[union-attr]
        for at in range(len(about.labels))
    ]
    nothing = Value(math.nan, math.nan, math.nan)
    for name, trend in found.items():
        for key, values in (("", trend.values), ("_from_before", trend.before), ("_from_reference", trend.reference)):
            for place, end in enumerate(("", "_low", "_high")):
                columns[f"{name}{key}{end}"] = [(own or nothing)[place] for own in values]
        columns[f"{name}_p"] = [math.nan if look is None else look.p for look in trend.looks]
        columns[f"{name}_since"] = ["" if look is None else about.labels[look.since] for look in trend.looks]
    return pd.DataFrame(columns)


def first_alarm(trend: pd.DataFrame) -> str:
    """Return the file at which ``trend.csv`` has the first alarm; empty where it has none."""
    raised = trend.loc[trend["alarm"].astype(bool), "file"]
    return str(raised.iloc[0]) if len(raised) else ""


def notes(found: Mapping[str, MetricTrend], about: About) -> list[str]:
    """Say how the figures were made, and what to mind."""
    asked = level(about.confidence)
    how = []
    for method, is_share in (("Newcombe's", True), ("Welch's", False)):
        own = [trend.metric.words for trend in found.values() if trend.metric.is_share == is_share]
        how += [f"{method} for the {in_words(own)}"] if own else []
    said = [
        f"All intervals are for the world that the rows are random rows of, {asked} % each; those of differences are "
        f"{in_words(how)}. Of many such intervals some miss by chance; the alarm alone is about all of them.",
        f"Evidence: p of no change up to this file, counted for all looks and metrics; an alarm is p at or below "
        f"{_p(1 - about.confidence)}. Each look sets the last files against all before them.",
    ]
    for trend in found.values():
        if trend.smallest is None:
            said.append(f"{trend.metric.words}: no test, {_infinite(trend, about)}; pass study.loss_cap=10")
    return said


def compared(rows: Sequence[Mapping[Any, Any]], dates: Sequence[str]) -> Table:
    """Return a row for each of several trends."""
    cells: list[tuple[str, ...]] = [
        (str(row["group"]) or str(row["population"]), f"{int(row['files'])}", date or "none")
        for row, date in zip(rows, dates, strict=True)
    ]
    return Table("Trends", ("of", "files", "alarm"), cells)


def compared_summary(dates: Sequence[str]) -> str:
    """Say how many trends have an alarm."""
    raised = sum(bool(date) for date in dates)
    if not raised:
        return f"No change beyond chance in {counted(len(dates), 'trend')}."
    return f"{raised} of {counted(len(dates), 'trend')} {'has' if raised == 1 else 'have'} an alarm."


def _differs(trend: MetricTrend, about: About) -> str:
    """How the newest file differs from the reference."""
    metric, newest = trend.metric, about.labels[about.newest]
    own = trend.reference[about.newest]
    assert own is not None
    value, low, high = (metric.factor * end for end in own)
    if math.isnan(value):
        return f"{metric.words} is infinite in {newest} and in {about.called}"
    if value == 0:
        how = f"the same in {newest} as in"
    else:
        unit = metric.short_unit.removesuffix("s") if _size(value, low, high) == "1" else metric.short_unit
        amount = f"{_size(value, low, high)} {unit}".rstrip()
        how = f"{amount} {'lower' if value < 0 else 'higher'} in {newest} than in"
    ends = "no interval"
    if math.isfinite(high - low):
        ends = f"{_signed(low, low, high)} to {_signed(high, low, high)}"
    return f"{metric.words} is {how} {about.called} ({level(about.confidence)} %: {ends})"


def _split(alarm: Alarm, about: About) -> str:
    """Which files differ from which."""
    which = "that file differs from those before it"
    if alarm.since != alarm.at:
        which = f"the files from {about.labels[alarm.since]} on differ from those before them"
    return f"{which} (p {_p(alarm.p, equals='= ')} over all looks)"


def _infinite(trend: MetricTrend, about: About) -> str:
    where = [label for label, own in zip(about.labels, trend.values, strict=True) if not math.isfinite(own.value)]
    if not where:
        return f"the {trend.metric.words} has values too large for it"
    return f"the {trend.metric.words} is infinite in {shortened(', '.join(where), 60)}"


def _table(trend: MetricTrend, about: About) -> Table:
    metric, of = trend.metric, f"{about.first} to {about.last}"
    unit = f",\n{metric.unit}" if metric.unit else ""
    digits = _digits(trend.values, metric), _digits([*trend.before, *trend.reference], metric)
    error = f",\n{metric.short_unit}" if metric.short_unit else ""
    return Table(
        f"{metric.title}, {shortened(of, 44)}",
        ("date" if about.days else "file", f"{metric.words}{unit}", f"from before{error}", f"from reference{error}",
         "evidence\np"),
        [_row(trend, about, at, digits) for at in range(len(about.labels))],
    )  # fmt: skip


def _row(trend: MetricTrend, about: About, at: int, digits: tuple[int, int]) -> tuple[str, ...]:
    metric, look = trend.metric, trend.looks[at]
    evidence = NONE if look is None else _p(look.p)
    if look is not None and look.p <= 1 - about.confidence:
        evidence += "\nalarm"
    is_reference = at == about.reference
    reference = "reference\n" if is_reference else _cell(trend.reference[at], metric, digits[1], is_signed=True)
    return (
        f"{shortened(about.labels[at], _LONGEST_LABEL)}\n{counted(about.rows[at], 'row')}",
        _cell(trend.values[at], metric, digits[0]),
        _cell(trend.before[at], metric, digits[1], is_signed=True),
        reference,
        "" if is_reference else evidence if "\n" in evidence else f"{evidence}\n",
    )


def _digits(values: Sequence[Value | None], metric: Metric) -> int:
    """Decimals for a whole column: what its narrowest interval needs."""
    halves = [metric.factor * (own.high - own.low) / 2 for own in values if own is not None]
    known = [half for half in halves if math.isfinite(half) and half > 0]
    return decimals(min(known)) if known else metric.digits


def _cell(own: Value | None, metric: Metric, digits: int, *, is_signed: bool = False) -> str:
    if own is None:
        return ""
    value, low, high = (metric.factor * end for end in own)
    if math.isnan(value):
        return NONE
    shown = fixed(value, digits, signed=is_signed)
    if not math.isfinite(high - low) or high == low:
        return f"{shown}\n{_NO_INTERVAL if high != low else ''}"
    return f"{shown}\n[{fixed(low, digits, signed=is_signed)}, {fixed(high, digits, signed=is_signed)}]"


def _size(value: float, low: float, high: float) -> str:
    half = (high - low) / 2
    return fixed(abs(value), decimals(half)) if math.isfinite(half) and half else significant(abs(value))


def _signed(end: float, low: float, high: float) -> str:
    return fixed(end, decimals((high - low) / 2), signed=True) if high != low else f"{end:+.3g}"


def _p(p: float, *, equals: str = "") -> str:
    return f"{equals}{p:.2g}" if p >= _SMALLEST_P else f"< {_SMALLEST_P:g}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
