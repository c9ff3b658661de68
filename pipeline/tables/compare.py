"""The table of a comparison of two models, and its conclusion in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.records import Table

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_LABEL = 12
_NOT_DEFINED = "—"
_SMALLEST_P = 0.0001
_METRICS = ("loss", "accuracy")


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
    headings = (label, "loss difference,\nnats", "examples", "accuracy,\npoints", "gained/\nlost", "examples")
    return Table(title, headings, [_row(row) for row in rows])


def caption(levels: Sequence[float], power: float, significance: float) -> str:
    """Say how to read the table; `levels` are the intervals' confidences."""
    return (
        f"Difference: other model minus model, with its {' or '.join(f'{100 * level:g} %' for level in levels)} "
        f"interval. Examples: for a paired test of {100 * power:g} % power at the {100 * significance:g} % level "
        "(∞: none suffices; M: million). Gained/lost: labels that turn right/wrong. Where the "
        "examples are more than twice the rows there are, those rows cannot tell the change from none: a guess."
    )


def conclusion(row: Mapping[Any, Any], power: float, significance: float) -> str:
    """Say how many examples each metric needs, why where none suffices, and what these rows alone establish.

    Parameters
    ----------
    row : mapping
        ``population_size`` and the metrics of a cell.
    power, significance : float
        Of the test.
    """
    loss, accuracy = row["loss/n_for_power"], row["accuracy/n_for_power"]
    if math.isinf(loss) and math.isinf(accuracy):
        needs = f"No number of examples shows a change: {_why_never('loss', row)}, and {_why_never('accuracy', row)}."
    else:
        needs = (
            f"To see this change with {100 * power:g} % power, {_needs('loss', row)}, {_needs('accuracy', row)}: "
            f"{_which_is_sooner(loss, accuracy)}."
        )
    return f"{needs} {_established(row, significance)}".strip()


def summary(cells: pd.DataFrame, power: float, significance: float) -> str:
    """Say of a sweep where which metric is the sooner one, and how often the rows tell a change from none at all."""
    if len(cells) == 1:
        return conclusion(cells.to_dict("records")[0], power, significance)
    sentences = []
    for group, own in cells.groupby("group", sort=False):
        rows = own.to_dict("records")
        sooner = [_sooner(row["loss/n_for_power"], row["accuracy/n_for_power"]) for row in rows]
        counts = [f"the {name} at {sooner.count(name)}" for name in _METRICS]
        if None in sooner:
            counts.append(f"neither at {sooner.count(None)}")
        seen = [f"at {sum(_is_seen(name, row, significance) for row in rows)} by the {name}" for name in _METRICS]
        changes = f"{f'{group!s}: of' if group else 'Of'} {len(rows)} {'change' if len(rows) == 1 else 'changes'}"
        sentences.append(
            f"{changes}, fewer examples are needed by {_joined(counts)}. "
            f"The rows at hand can tell a change from none {_joined(seen)}."
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


def _row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        _shortened(str(row["label"])),
        _loss_difference(row),
        counted(row["loss/n_for_power"]),
        points(row["accuracy/difference"]),
        f"{row['accuracy/gained']:,.0f}/{row['accuracy/lost']:,.0f}",
        counted(row["accuracy/n_for_power"]),
    )


def _loss_difference(row: Mapping[Any, Any]) -> str:
    value = row.get("loss/difference", math.nan)
    if math.isnan(value):
        return _NOT_DEFINED
    half = (row["loss/difference_high"] - row["loss/difference_low"]) / 2
    return f"{_scientific(value, '+')} ± {_scientific(half)}"


def _scientific(value: float, sign: str = "") -> str:
    """Two digits and an exponent without leading zeros, such as -5.9e-5."""
    if math.isinf(value):
        return f"{'-' if value < 0 else sign}∞"
    amount, _, exponent = f"{value:{sign}.1e}".partition("e")
    return f"{amount}e{int(exponent)}"


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"…{label[1 - _LONGEST_LABEL :]}"


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
        return "no label flips"
    return f"the {gained + lost:,} labels that flip cancel, {gained:,} gained and {lost:,} lost"


def _which_is_sooner(loss: float, accuracy: float) -> str:
    sooner = _sooner(loss, accuracy)
    if sooner is None:
        return "neither is sooner"
    ratio = max(loss, accuracy) / min(loss, accuracy)
    return f"the {sooner} is sooner" + (f", by a factor of {ratio:,.3g}" if math.isfinite(ratio) else "")


def _sooner(loss: float, accuracy: float) -> str | None:
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
