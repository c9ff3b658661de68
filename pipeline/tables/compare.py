"""The table of a comparison of two models, and its conclusion in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.records import Scores, Table
from pipeline.stored import n_infinite

if TYPE_CHECKING:
    import pandas as pd

_SHORTEST_LABEL = 9
# Of the terminal without the table's edges, and what stands between two columns.
_WIDTH, _GAP = 78, 3
_NOT_DEFINED = "—"
_SMALLEST_P = 0.0001
# Beyond which an exponent is shorter.
_MOST_DECIMALS = 4
_METRICS = ("loss", "accuracy")
# Of a few rows the mean is not normal yet, as the formula has it.
_FEW = 30


def table(rows: Sequence[Mapping[Any, Any]], title: str, *, label: str) -> Table:
    """Return a row a comparison.

    Parameters
    ----------
    rows : sequence of mapping
        ``label`` and the metrics of a cell each.
    title : str
        What the rows are about.
    label : str
        What the labels are: ``step``, or ``against``.
    """
    headings = {
        "loss": ("loss difference,\nnats", "examples"),
        "accuracy": ("accuracy,\npoints", "gained/\nlost", "examples"),
    }
    known = [metric for metric in _METRICS if any(_has(metric, row) for row in rows)]
    columns = tuple(heading for metric in known for heading in headings[metric])
    cells = [tuple(cell for metric in known for cell in _cells(metric, row)) for row in rows]
    taken = sum(
        _GAP + max(map(len, [*heading.split("\n"), *own])) for heading, *own in zip(columns, *cells, strict=True)
    )
    names = [_shortened(str(row["label"]), max(_SHORTEST_LABEL, _WIDTH - taken)) for row in rows]
    return Table(title, (label, *columns), [(name, *own) for name, own in zip(names, cells, strict=True)])


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
    levels = " or ".join(f"{100 * level:g} %" for level in dict.fromkeys(row["confidence"] for row in rows))
    if has_steps:
        whose = "other model minus model"
    elif len(rows) == 1:
        whose = f"{rows[0]['label']} minus {rows[0]['population']}"
    else:
        whose = f"the row's minus {rows[0]['population']}"
    parts = [f"Difference: {whose}"]
    if any(_has("loss", row) for row in rows):
        parts[0] += f", of the loss with its {levels} interval"
    parts.append(
        f"Examples: for a paired test of {100 * power:g} % power at the {100 * significance:g} % level (∞: none "
        "suffices; k: thousand, M: million)"
    )
    if any(_has("accuracy", row) for row in rows):
        parts.append("Gained/lost: rows that turn right/wrong")
    parts.append(
        "Where the examples are more than twice the rows there are, those rows cannot tell the change from none: a "
        "guess"
    )
    return f"{'. '.join(parts)}."


def notes(scores: Sequence[Scores], names: Sequence[str], metrics: Mapping[str, float], confidence: float) -> list[str]:
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
    """
    n = len(scores[0])
    said = [
        f"Differences: {names[1]} minus {names[0]}, row by row. Over these {n:,} rows they are exact; the intervals "
        "and p values are about the world that these rows are taken for a random sample of."
    ]
    if _has("loss", metrics):
        said.append(f"loss: Student's t on the paired differences, {confidence:.4g}")
    if _has("accuracy", metrics):
        value, low, high = (points(metrics[f"accuracy/difference{end}"]) for end in ("", "_low", "_high"))
        said.append(
            f"accuracy: {value} points, Tango's score interval, {confidence:.4g}: {low} to {high}; McNemar's exact test"
        )
    said.append(
        "The numbers of examples take the difference found here for the true one; where its interval holds 0, they may "
        "as well be infinite."
    )
    for own, name in zip(scores, names, strict=True):
        infinite = n_infinite(own) if _has("loss", metrics) else 0
        if infinite:
            said.append(
                f"Under {name} {infinite:,} of {n:,} rows have an infinite loss (probability 0 for the true class): "
                "the mean is infinite, and no test of the loss is possible"
            )
    few = [metric for metric in _METRICS if metrics.get(f"{metric}/n_for_power", math.inf) < _FEW]
    return said + [
        f"{metric}: the formula takes a mean as normal, which so few examples do not give; take more" for metric in few
    ]


def conclusion(row: Mapping[Any, Any], power: float, significance: float) -> str:
    """Say how many examples each metric needs, why where none suffices, and what these rows alone establish.

    Parameters
    ----------
    row : mapping
        ``population_size`` and the metrics of a cell.
    power, significance : float
        Of the test.
    """
    known = _known(row)
    if all(math.isinf(row[f"{metric}/n_for_power"]) for metric in known):
        why = ", and ".join(_why_never(metric, row) for metric in known)
        needs = f"No number of examples shows a change: {why}."
    else:
        said = ", ".join(_needs(metric, row) for metric in known)
        # Of a change that may be none, neither is the sooner one.
        is_told = len(known) > 1 and any(_is_seen(metric, row, significance) for metric in known)
        sooner = f": {_which_is_sooner(row)}" if is_told else ""
        needs = f"To see this change with {100 * power:g} % power, {said}{sooner}."
    return f"{needs} {_established(row, significance)}".strip()


def summary(cells: pd.DataFrame, power: float, significance: float) -> str:
    """Say of a sweep where which metric is the sooner one, and how often the rows tell a change from none at all."""
    if len(cells) == 1:
        return conclusion(cells.to_dict("records")[0], power, significance)
    sentences = []
    for group, own in cells.groupby("group", sort=False):
        rows = own.to_dict("records")
        changes = f"{f'{group!s}: of' if group else 'Of'} {len(rows)} {'change' if len(rows) == 1 else 'changes'}"
        known = [metric for metric in _METRICS if any(_has(metric, row) for row in rows)]
        seen = [f"{sum(_is_seen(name, row, significance) for row in rows)} by the {name}" for name in known]
        if len(known) == 1:
            sentences.append(f"{changes}, the rows at hand can tell {_joined(seen)} from none.")
            continue
        sooner = [_sooner(row) for row in rows if len(_known(row)) > 1]
        counts = [f"the {name} at {sooner.count(name)}" for name in _METRICS]
        if None in sooner:
            counts.append(f"neither at {sooner.count(None)}")
        at = [f"at {each}" for each in seen]
        sentences.append(
            f"{changes}, fewer examples are needed by {_joined(counts)}. "
            f"The rows at hand can tell a change from none {_joined(at)}."
        )
    return "\n".join(sentences)


def counted(n: float) -> str:
    """Write a number of examples in few characters.

    Examples
    --------
    >>> counted(1648257), counted(29290051), counted(4e13), counted(float("inf"))
    ('1,648,257', '29.3 M', '4e+13', '∞')
    """
    if math.isinf(n):
        return "∞"
    if n < 1e7:
        return f"{n:,.0f}"
    return f"{n / 1e6:,.3g} M" if n < 1e9 else f"{n:.2g}"


def points(share: float) -> str:
    """Write a difference of accuracies in percentage points, with its sign."""
    return f"{100 * share:+.2f}"


def _has(metric: str, row: Mapping[Any, Any]) -> bool:
    """Whether a cell has a metric: this one of its figures always has a value."""
    return not math.isnan(row.get(f"{metric}/n_for_power", math.nan))


def _known(row: Mapping[Any, Any]) -> list[str]:
    return [metric for metric in _METRICS if _has(metric, row)]


def _cells(metric: str, row: Mapping[Any, Any]) -> tuple[str, ...]:
    if not _has(metric, row):
        return ("",) * (2 if metric == "loss" else 3)
    n = counted(row[f"{metric}/n_for_power"])
    if metric == "loss":
        return _loss_difference(row), n
    flips = f"{_short(row['accuracy/gained'])}/{_short(row['accuracy/lost'])}"
    return points(row["accuracy/difference"]), flips, n


def _short(count: float) -> str:
    """Write how many rows turn in few characters, such as 36.8k."""
    if count < 1e4:
        return f"{count:,.0f}"
    return f"{count / 1e3:.3g}k" if count < 999_500 else f"{count / 1e6:.3g}M"


def _loss_difference(row: Mapping[Any, Any]) -> str:
    value = row.get("loss/difference", math.nan)
    if math.isnan(value):
        return _NOT_DEFINED
    half = (row["loss/difference_high"] - row["loss/difference_low"]) / 2
    if value == half == 0:
        return "0"
    digits = 1 - math.floor(math.log10(half)) if 0 < half < math.inf else math.inf
    if 0 <= digits <= _MOST_DECIMALS:
        return f"{value:+.{digits}f} ± {half:.{digits}f}"
    return f"{_scientific(value, '+')} ± {_scientific(half)}"


def _scientific(value: float, sign: str = "") -> str:
    """Two digits and an exponent without leading zeros, such as -5.9e-5."""
    if math.isinf(value):
        return f"{'-' if value < 0 else sign}∞"
    amount, _, exponent = f"{value:{sign}.1e}".partition("e")
    return f"{amount}e{int(exponent)}"


def _shortened(label: str, most: int) -> str:
    return label if len(label) <= most else f"…{label[1 - most :]}"


def _needs(metric: str, row: Mapping[Any, Any]) -> str:
    n = row[f"{metric}/n_for_power"]
    if math.isinf(n):
        return f"the {metric} cannot show it with any ({_why_never(metric, row)})"
    return f"the {metric} needs {n:,.0f} examples"


def _why_never(metric: str, row: Mapping[Any, Any]) -> str:
    if metric == "loss":
        finite = math.isfinite(row.get("loss/difference", math.nan))
        return "no row's loss changes" if finite else "a model's mean loss is infinite"
    gained, lost = int(row["accuracy/gained"]), int(row["accuracy/lost"])
    if gained == lost == 0:
        return "no row turns right or wrong"
    return f"the {gained + lost:,} rows that turn cancel, {gained:,} gained and {lost:,} lost"


def _which_is_sooner(row: Mapping[Any, Any]) -> str:
    sooner = _sooner(row)
    if sooner is None:
        return "neither is sooner"
    loss, accuracy = (row[f"{metric}/n_for_power"] for metric in _METRICS)
    ratio = max(loss, accuracy) / min(loss, accuracy)
    return f"the {sooner} is sooner" + (f", by a factor of {ratio:,.3g}" if math.isfinite(ratio) else "")


def _sooner(row: Mapping[Any, Any]) -> str | None:
    loss, accuracy = (row[f"{metric}/n_for_power"] for metric in _METRICS)
    if loss == accuracy:
        return None
    return "loss" if loss < accuracy else "accuracy"


def _p(metric: str, row: Mapping[Any, Any]) -> float:
    return float(row.get("loss/p" if metric == "loss" else "accuracy/mcnemar_p", math.nan))


def _p_in_words(p: float) -> str:
    return f"p = {p:.2g}" if p >= _SMALLEST_P else f"p < {_SMALLEST_P:g}"


def _is_seen(metric: str, row: Mapping[Any, Any], significance: float) -> bool:
    return _p(metric, row) < significance


def _established(row: Mapping[Any, Any], significance: float) -> str:
    """Say which changes the rows at hand tell from none; a number that rests on one that they do not is a guess."""
    rows = f"{int(row['population_size']):,} rows"
    p = {metric: _p_in_words(_p(metric, row)) for metric in _METRICS if not math.isnan(_p(metric, row))}
    tested = [metric for metric in _METRICS if metric in p]
    seen = [metric for metric in tested if _is_seen(metric, row, significance)]
    guesses = [metric for metric in tested if metric not in seen and math.isfinite(row[f"{metric}/n_for_power"])]
    parts = []
    if seen:
        parts.append(f"These {rows} establish the change of the {' and of the '.join(f'{m} ({p[m]})' for m in seen)}")
    if guesses:
        what = " and of the ".join(f"{m} ({p[m]})" for m in guesses)
        said = "but cannot tell that" if seen else f"These {rows} cannot tell the change"
        which = "that number is a guess" if len(guesses) == 1 else "both numbers are guesses"
        parts.append(f"{said} of the {what} from none: {which}")
    return f"{', '.join(parts)}." if parts else ""


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
