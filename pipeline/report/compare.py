"""The table of a comparison of two models, and its conclusion in words."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..metric.base import Metric
from ..metric.columns import in_order
from ..records.scores import Scores
from ..records.stored import n_infinite
from .by_metric import EDGES, GAP, WIDTH, split, widths
from .result import Table
from .words import NONE, by_flips, count, fixed, in_words, level, rows_of, scientific, shortened, with_interval

_SHORTEST_LABEL = 9
# Of more models, the table says the rest.
_MOST_TOLD = 6
_SMALLEST_P = 0.0001
# From here on, rows needed are written in millions: an estimate has no such digits.
_FULL_NEEDED = 1e6
# With more decimals a power of ten is shorter.
_MOST_DECIMALS = 4
# From here on a power of ten is shorter, too.
_MOST_IN_FULL = 1e7
# Below this number of rows much rests on the differences being normal.
_FEW = 30
_FIGURE = "/n_for_power"


def tables(rows: Sequence[Mapping[Any, Any]], title: str, *, label: str) -> list[Table]:
    """Return a row per comparison; metrics that do not fit make further tables.

    Parameters
    ----------
    rows : sequence of mapping
        ``label`` and the metrics of a cell each.
    title : str
        What the rows are about.
    label : str
        What the labels are: ``step``, or ``candidate``.
    """
    return split(known_in(*rows), lambda metrics, _: _table(rows, metrics, title, label))


def _table(rows: Sequence[Mapping[Any, Any]], metrics: Sequence[Metric], title: str, label: str) -> Table:
    unit = "groups" if any("groups" in row for row in rows) else "rows"
    columns = tuple(heading for metric in metrics for heading in _headings(metric, unit))
    cells = [tuple(cell for metric in metrics for cell in _cells(metric, row)) for row in rows]
    taken = sum(GAP + width for width in widths(list(zip(columns, *cells, strict=True))))
    names = [shortened(str(row["label"]), max(_SHORTEST_LABEL, WIDTH - EDGES - taken)) for row in rows]
    return Table(title, (label, *columns), [(name, *own) for name, own in zip(names, cells, strict=True)])


def answer(
    rows: Sequence[Mapping[Any, Any]],
    adjusted: Sequence[Mapping[str, float]],
    significance: float,
    *,
    n_tests: int | None = None,
) -> str:
    """Say of each other model what got better, what got worse, and what cannot be told.

    Parameters
    ----------
    rows : sequence of mapping
        ``label``, ``population``, ``population_size``, ``confidence`` and the metrics of a comparison each.
    adjusted : sequence of mapping of str to float
        The adjusted p value of each metric, by column, of each row.
    significance : float
        A change whose adjusted p value is at least this cannot be told from none.
    n_tests : int or None
        Over how many tests they are adjusted; None is all that are given.

    Returns
    -------
    str
        A sentence for each of the first few models; empty where no difference is known.
    """
    said = [_told(row, own, significance) for row, own in zip(rows, adjusted, strict=True)]
    tests = sum(not math.isnan(p) for own in adjusted for p in own.values())
    if not tests:
        return ""
    tests = n_tests or tests
    first, more = rows[0], len(said) - _MOST_TOLD
    about = f"against {first['population']}, {rows_of(first)}"
    many = f", p values by Holm over {tests} tests" if tests > 1 else ""
    how = f"({level(first['confidence'])} % intervals{many})"
    if len(said) == 1:
        return f"{first['label']} {about}: {said[0]} {how}."
    told = [f"  {row['label']}: {words}" for row, words in zip(rows, said[:_MOST_TOLD], strict=False)]
    return "\n".join(
        [f"{about[:1].upper()}{about[1:]} {how}:", *told, *([f"  {more} more: see the table"] * (more > 0))]
    )


def _told(row: Mapping[Any, Any], adjusted: Mapping[str, float], significance: float) -> str:
    parts = []
    for metric in known_in(row):
        ends = [metric.factor * row.get(f"{metric.column}/difference{end}", math.nan) for end in ("", "_low", "_high")]
        p, unit = adjusted.get(metric.column, math.nan), metric.short_unit
        if math.isnan(ends[0]) or math.isnan(p):
            parts.append(f"the {metric.words} cannot be compared")
            continue
        value, low, high = ends
        is_lower = value < 0
        if p >= significance:
            change = with_interval(value, low, high, unit)
            parts.append(f"the {metric.words} cannot be told apart ({'' if is_lower else '+'}{change})")
            continue
        if metric.is_better_low is None:
            verdict = "lower" if is_lower else "higher"
        else:
            verdict = "better" if is_lower == metric.is_better_low else "worse"
        change = with_interval(-value, -high, -low, unit) if is_lower else with_interval(value, low, high, unit)
        parts.append(f"the {metric.words} is {verdict} by {change}")
    return ", ".join(parts)


def p_values(row: Mapping[Any, Any]) -> dict[str, float]:
    """Return the p value of each metric that was compared, by column; nan where there is none."""
    return {metric.column: p_of(metric, row) for metric in known_in(row)}


def caption(rows: Sequence[Mapping[Any, Any]], power: float, significance: float, *, has_steps: bool = True) -> str:
    """Say how to read the table.

    Parameters
    ----------
    rows : sequence of mapping
        ``confidence`` and the metrics of a cell each.
    power, significance : float
        Of the test.
    has_steps : bool
        Whether the other model is the same one after a step.
    """
    levels = " or ".join(f"{level(asked)} %" for asked in dict.fromkeys(row["confidence"] for row in rows))
    if has_steps:
        whose = "other model minus model"
    elif len(rows) == 1:
        whose = f"{rows[0]['label']} minus {rows[0]['population']}"
    else:
        whose = f"the row's minus {rows[0]['population']}"
    parts = [f"Difference: {whose}"]
    known = known_in(*rows)
    parts[0] += f", ± half the width of its {levels} interval"
    parts.append(
        f"Rows needed: for a paired test of {level(power)} % power at the {level(significance)} % level (∞: none "
        "suffices; k: thousand, M: million, B: billion, T: trillion)"
    )
    unlabelled = next((row for row in rows if row.get("unlabelled", math.nan) > 0), None)
    if any(metric.is_share for metric in known):
        parts.append(f"Gained/lost: rows {'with a label ' if unlabelled else ''}that turn right/wrong")
    if unlabelled is not None:
        parts.append(_by_proxy(unlabelled))
    parts.append(
        "Where more than twice the rows there are would be needed, those rows cannot tell the change from none: a guess"
    )
    return f"{'. '.join(parts)}."


def _by_proxy(row: Mapping[Any, Any]) -> str:
    """Say what the rows without a label count for, and by what."""
    named = str(row.get("powered", "")).split(",")
    powered = [metric.words for metric in known_in(row) if metric.column in named]
    if not powered:
        return "Rows without a label add nothing, for the proxy explains no difference of the labelled ones"
    return (
        f"The {in_words(powered, each='the ')} {'is' if len(powered) == 1 else 'are'} prediction-powered (PPI++): rows "
        f"without a label count by proxy={row['proxy']}, and the rows needed are those with a label, beside as many "
        "without for each as there are here"
    )


def notes(
    scores: Sequence[Scores],
    names: Sequence[str],
    metrics: Mapping[str, float],
    confidence: float,
    *,
    powered: Collection[str] = (),
) -> list[str]:
    """Say how the figures of a comparison were made, and what to mind.

    Parameters
    ----------
    scores : sequence of Scores
        Of the model, and of the other one.
    names : sequence of str
        What the two are called.
    metrics : mapping of str to float
        The figures.
    confidence : float
        Of the intervals.
    powered : collection of str
        The metrics of which rows without a label count by a proxy.
    """
    n = len(scores[0])
    exact = "" if powered else f" Over these {n:,} rows they are exact;"
    said = [
        f"Differences: {names[1]} minus {names[0]}, row by row.{exact} {'The' if powered else 'the'} intervals "
        "and p values are about the world that these rows are taken for a random sample of."
    ]
    known = known_in(metrics)
    if "groups" in metrics:
        said[0] += f" They belong together in {int(metrics['groups']):,} groups."
    said += [_how_tested(metric, metrics, confidence, is_powered=metric.column in powered) for metric in known]
    said.append(
        "The numbers of examples take the difference found here for the true one; where its interval holds 0, they may "
        "as well be infinite."
    )
    for own, name in zip(scores, names, strict=True):
        infinite = n_infinite(own) if any(metric.takes_loss_cap for metric in known) else 0
        if infinite:
            said.append(
                f"Under {name} {infinite:,} of {n:,} rows have an infinite loss (probability 0 for the true class): "
                "the mean is infinite, and no test of the loss is possible"
            )
    # A share's is that of the exact test.
    few = [metric for metric in known if not metric.is_share and metrics[f"{metric.column}/n_for_power"] < _FEW]
    return said + [
        f"{metric.words}: the number of examples takes the differences as normal; a few rows that differ far more than "
        "the others, which so few examples may not show, put it off; take more"
        for metric in few
    ]


def _how_tested(metric: Metric, metrics: Mapping[str, float], confidence: float, *, is_powered: bool) -> str:
    """Name the interval and the test of one metric's difference."""
    if "groups" in metrics:
        p = metrics.get(f"{metric.column}/p_flips", math.nan)
        flips = "" if math.isnan(p) else f"; {by_flips(p_in_words(p))}"
        return (
            f"{metric.words}: Student's t on the groups' paired differences (cluster-robust), "
            f"{int(metrics['groups']) - 1:,} degrees of freedom, {level(confidence)} %{flips}"
        )
    if is_powered:
        return (
            f"{metric.words}: the wider of Student's t and Hall's at each end, with rows without a label by their "
            f"proxy (PPI++), {level(confidence)} %"
        )
    if not metric.is_share:
        whose = " of the rows' influences on it" if metric.is_together else ""
        return f"{metric.words}: Student's t on the paired differences{whose}, {level(confidence)} %"
    value, low, high = (points(metrics[f"{metric.column}/difference{end}"]) for end in ("", "_low", "_high"))
    return (
        f"{metric.words}: {value} points, Tango's score interval, {level(confidence)} %: {low} to {high}; "
        "McNemar's exact test"
        + (f" (mid-p {metrics[mid]:.2g})" if (mid := f"{metric.column}/mcnemar_mid_p") in metrics else "")
    )


def points(share: float) -> str:
    """Write a difference of accuracies in percentage points, with its sign."""
    return f"{100 * share:+.2f}"


def n_key(metric: Metric) -> str:
    """Return the key of how many examples a metric needs."""
    return f"{metric.column}{_FIGURE}"


def known_in(*rows: Mapping[Any, Any]) -> list[Metric]:
    """Return the metrics that some cell was compared in: this one of their figures always has a value there."""
    keys = (str(key) for row in rows for key, value in row.items() if str(key).endswith(_FIGURE) and value == value)
    return in_order(key.removesuffix(_FIGURE) for key in keys)


def _headings(metric: Metric, unit: str = "rows") -> tuple[str, ...]:
    if metric.is_share:
        return f"{metric.words},\npoints", "gained/\nlost", f"{unit}\nneeded"
    # A difference of per cents is one of points.
    its = metric.short_unit or metric.unit
    return f"{metric.words} difference" + (f",\n{its}" if its else ""), f"{unit}\nneeded"


def _cells(metric: Metric, row: Mapping[Any, Any]) -> tuple[str, ...]:
    if math.isnan(row.get(n_key(metric), math.nan)):
        return ("",) * len(_headings(metric))
    n = count(row[n_key(metric)], full_below=_FULL_NEEDED)
    if not metric.is_share:
        return _mean_difference(metric, row), n
    flips = "/".join(count(row[f"{metric.column}/{way}"], full_below=1e4) for way in ("gained", "lost"))
    return _mean_difference(metric, row), flips, n


def _mean_difference(metric: Metric, row: Mapping[Any, Any]) -> str:
    value, low, high = (
        metric.factor * row.get(f"{metric.column}/difference{end}", math.nan) for end in ("", "_low", "_high")
    )
    if math.isnan(value):
        return NONE
    half = (high - low) / 2
    if value == half == 0:
        return "0"
    digits = 1 - math.floor(math.log10(half)) if 0 < half < math.inf else _MOST_DECIMALS + 1
    if digits <= _MOST_DECIMALS and abs(value) + half < _MOST_IN_FULL:
        shown = max(int(digits), 0)
        return f"{fixed(value, shown, signed=True)} ± {fixed(half, shown)}"
    return f"{scientific(value, signed=True)} ± {scientific(half)}"


def p_of(metric: Metric, row: Mapping[Any, Any]) -> float:
    """Return the p value of a metric; nan where there is none."""
    # McNemar's test is of independent rows; of groups there is a t test.
    names = ("mcnemar_p", "p") if metric.is_share else ("p",)
    return next((float(row[key]) for name in names if (key := f"{metric.column}/{name}") in row), math.nan)


def p_in_words(p: float) -> str:
    """Write a p value; of a very small one, what it is below."""
    return f"p = {p:.2g}" if p >= _SMALLEST_P else f"p < {_SMALLEST_P:g}"
