"""How many rows are enough, design by design, and the sentence that a person can act on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.records import Table
from pipeline.tables.evaluate import duration

if TYPE_CHECKING:
    import pandas as pd

SWEEP_CAPTION = "n: the fewest rows with the configured sampling; both: the larger; within: of batches drawn at that n."
_NAMES = ("loss", "accuracy")
# Below it, the allowance for a pilot's own error holds less than it says.
_ENOUGH_PILOT = 300


@dataclass(frozen=True)
class Question:
    """What was asked.

    Attributes
    ----------
    population, unit : str
        Its name; ``row`` or ``group``.
    size : int
        N, in units.
    within : dict of str to float
        The tolerances, by metric.
    confidence : float
        The share of batches that should be within.
    pilot : int or None
        Rows that alone were scored; None is all.
    """

    population: str
    unit: str
    size: int
    within: dict[str, float]
    confidence: float
    pilot: int | None

    def tolerance(self, metric: str) -> str:
        """Write a tolerance, such as ±0.02 nats."""
        return f"±{self.within['loss']:g} nats" if metric == "loss" else points(self.within["accuracy"])

    def units(self, n: float) -> str:
        """Write a number of units, such as 3,034 rows."""
        return f"{counted(n)} {self.unit}{'' if n == 1 else 's'}"


def points(share: float) -> str:
    """Write a tolerance of the accuracy in percentage points.

    Examples
    --------
    >>> points(0.01), points(0.005)
    ('±1 point', '±0.5 points')
    """
    value = f"{100 * share:g}"
    return f"±{value} {'point' if value == '1' else 'points'}"


def counted(n: float) -> str:
    """Write a number of units: ∞ where none is enough, ? where it cannot be said."""
    if math.isnan(n):
        return "?"
    if math.isinf(n):
        return "∞"
    if n < 1e6:
        return f"{n:,.0f}"
    return f"{n / 1e6:.3g} M" if n < 1e9 else f"{n:.2g}"


def table(rows: Sequence[Mapping[Any, Any]], question: Question, *, seconds: float) -> Table:
    """Return a row a design, those that need the fewest first, and all rows below.

    Parameters
    ----------
    rows : sequence of mapping
        ``words, overrides, is_configured, loss_n, accuracy_n, n, seconds`` of each.
    question : Question
        What was asked.
    seconds : float
        To evaluate all rows.
    """
    about = f"{question.population}, {question.units(question.size)}"
    if question.pilot is not None:
        about += f", from a pilot of {question.pilot:,}"
    headings = (
        "design",
        f"loss\n{question.tolerance('loss')}",
        f"accuracy\n{question.tolerance('accuracy')}",
        "both",
        "% of\nall",
        "time",
    )
    shown: list[tuple[str, ...]] = [
        (
            f"{row['words']}{' *' if row['is_configured'] else ''}",
            counted(row["loss_n"]),
            counted(row["accuracy_n"]),
            counted(row["n"]),
            _share(row["n"] / question.size),
            duration(row["seconds"]) if math.isfinite(row["seconds"]) else counted(row["seconds"]),
        )
        for row in sorted(rows, key=lambda row: (math.isnan(row["n"]), row["n"]))
    ]
    return Table(
        about, headings, shown, [(f"all {question.unit}s", "", "", f"{question.size:,}", "100", duration(seconds))]
    )


def summary(rows: Sequence[Mapping[Any, Any]], question: Question) -> str:
    """Say what to do with the configured design, and which other one needs fewer rows."""
    own = next(row for row in rows if row["is_configured"])
    sentences = [_advice(own, question)]
    others = [row for row in rows if not row["is_configured"] and row["n"] <= question.size]
    best = min(others, key=lambda row: row["n"], default=None)
    if best is not None and not best["n"] >= own["n"]:
        known = own["n"] <= question.size
        sentences.append(
            f"{'Fewer are' if known else 'Fewest are'} enough {_how(best)}: {counted(best['n'])} ({best['overrides']})."
        )
    return " ".join(sentences)


def notes(question: Question, assurance: float) -> list[str]:
    """Say what the figures are, and of a pilot what was allowed for its own error."""
    said = [
        f"n: normal formula, the estimate within the tolerance in {_of_100(question.confidence)} batches, of each "
        "metric by itself; simple random samples to the nearest row. *: the configured sampling",
        "time: of scoring n rows, and where a design needs them of the proxy's pass over all rows and of a pilot; a "
        "proxy made of the model's own logits saves labels, not time",
        "systematic: of the sizes N/k, the one from which all larger ones are enough; others may not be, and no batch "
        "tells its own error",
    ]
    if question.pilot is None:
        return said
    said = [
        *said[:2],
        f"allowance for the pilot's own error: the variances' upper limits, so that the plan is enough for "
        f"{_of_100(assurance)} pilots (measured for the loss, where 80 were asked for, on five populations: 69 to 89 "
        "with pilots of 300 rows, 89 to 90 with 1,000)",
        "other designs than simple ones: what they gain is the pilot's own figure, with no allowance for its error; "
        "enough for 77 to 93 of 100 pilots of 300 rows where that was measured",
        "not checked by drawing, for only the pilot's rows were scored",
    ]
    if question.pilot < _ENOUGH_PILOT:
        said.append(
            f"a pilot of {question.pilot:,} rows is small: too few errors are in it to know the loss's tail, and its "
            "plan is enough less often than that (58 to 78 of 100 with 100 rows, 33 to 58 with 30)"
        )
    return said


def checked(metric: str, n: int, within: int, draws: int, question: Question) -> str:
    """Say how many batches of the planned size were within the tolerance."""
    share = within / draws
    error = 196 * math.sqrt(share * (1 - share) / draws)
    return (
        f"checked by drawing: {within:,} of {draws:,} batches of {question.units(n)} had the {metric} within "
        f"{question.tolerance(metric)}: {100 * share:.1f} ± {error:.1f} %, planned {100 * question.confidence:g} %"
    )


def sweep(cells: pd.DataFrame) -> list[Table]:
    """Return a row a cell."""
    shown = []
    headings = ("loss\nwithin", "loss,\nn", "within\n%", "accuracy,\nn", "within\n%", "both", "time")
    for group, own in cells.groupby("group", sort=False):
        first = own.iloc[0]
        about = (str(first["population"]), f"{int(first['population_size']):,} rows", str(group))
        rows: list[tuple[str, ...]] = [
            (
                f"{row['study.loss_within']:g}",
                counted(row.get("loss/n", math.nan)),
                _percent(row.get("loss/within", math.nan)),
                counted(row.get("accuracy/n", math.nan)),
                _percent(row.get("accuracy/within", math.nan)),
                counted(row.get("rows/n", math.nan)),
                duration(row["seconds/n"]) if math.isfinite(row.get("seconds/n", math.nan)) else "?",
            )
            for row in own.to_dict("records")
        ]
        shown.append(Table(", ".join(filter(None, about)), headings, rows))
    return shown


def sweep_summary(cells: pd.DataFrame) -> str:
    """Say what the cells' plans range over."""
    n = [value for value in cells.get("rows/n", []) if math.isfinite(value)]
    if not n:
        return "No plan has a number of rows."
    low, high = min(n), max(n)
    return f"Enough for both metrics: {counted(low)}{f' to {counted(high)}' if high > low else ''} rows."


def _advice(own: Mapping[Any, Any], question: Question) -> str:
    n, size = own["n"], question.size
    never = [name for name in _NAMES if math.isinf(own[f"{name}_n"])]
    unknown = [name for name in _NAMES if math.isnan(own[f"{name}_n"])]
    if unknown:
        return f"Nothing can be planned for the {' and the '.join(unknown)} {_how(own)} from this pilot."
    if never:
        return f"No number of {question.unit}s {_how(own)} brings the {' and the '.join(never)} within the tolerance."
    if n > size:
        return (
            f"{question.units(n).capitalize()} {_how(own)} would be needed, more than the {size:,} there are: "
            "evaluating all of them leaves no error."
        )
    share = f"{_share(n / size)} % of the {size:,}"
    return (
        f"Evaluate {question.units(n)} {_how(own)} ({share}): then the loss is within {question.tolerance('loss')} and "
        f"the accuracy within {question.tolerance('accuracy')} in {_of_100(question.confidence)} batches"
        f"{'' if question.pilot is None else ', with the allowance for the pilot'}."
    )


def _how(row: Mapping[Any, Any]) -> str:
    words = str(row["words"])
    return f"drawn {words}" if words.startswith("with") else f"with {words}"


def _of_100(share: float) -> str:
    return f"{100 * share:.10g} of 100"


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.1f}"


def _share(ratio: float) -> str:
    if not math.isfinite(ratio):
        return counted(ratio)
    if ratio >= 10:
        return ">999"
    return f"{100 * ratio:,.0f}" if ratio >= 0.01 else f"{100 * ratio:.1g}"
