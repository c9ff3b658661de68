"""How many rows are enough, design by design, and the sentence that a person can act on."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.records import Table
from pipeline.tables.evaluate import duration

if TYPE_CHECKING:
    import pandas as pd

SWEEP_CAPTION = "n: the fewest rows with the configured sampling; both: the larger; within: of batches drawn at that n."
_NAMES = ("loss", "accuracy")
# What is done to the rows that are drawn: predictions of them are there already, and need labels, or scores.
Work = Literal["evaluate", "label", "score"]
_DOING: dict[Work, str] = {"evaluate": "evaluating", "label": "labelling", "score": "scoring"}
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
        The tolerances, by metric that is planned for.
    confidence : float
        The share of batches that should be within.
    pilot : int or None
        Rows that alone were scored; None is all.
    work : str
        What is done to the rows that are drawn: ``evaluate``; or, where there are predictions already, ``label`` or
        ``score``.
    """

    population: str
    unit: str
    size: int
    within: dict[str, float]
    confidence: float
    pilot: int | None
    work: Work = "evaluate"

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
        ``words, overrides, is_configured, loss_n, accuracy_n, n, seconds`` of each; without ``seconds`` there is no
        time, and without a metric's n none for it.
    question : Question
        What was asked.
    seconds : float
        To evaluate all rows.
    """
    about = f"{question.population}, {question.units(question.size)}"
    if question.pilot is not None:
        about += f", from a pilot of {question.pilot:,}"
    metrics, has_times = list(question.within), all("seconds" in row for row in rows)
    headings = ("design", *(f"{metric}\n{question.tolerance(metric)}" for metric in metrics))
    headings += (("both",) if len(metrics) > 1 else ()) + ("% of\nall",) + (("time",) if has_times else ())
    shown = []
    for row in sorted(rows, key=lambda row: (math.isnan(row["n"]), row["n"])):
        counts = [counted(row[f"{metric}_n"]) for metric in metrics]
        both = [counted(row["n"])] if len(metrics) > 1 else []
        times = [_time(row["seconds"])] if has_times else []
        name = f"{row['words']}{' *' if row['is_configured'] else ''}"
        shown.append((name, *counts, *both, _share(row["n"] / question.size), *times))
    everything = [*[""] * (len(metrics) if len(metrics) > 1 else 0), f"{question.size:,}", "100"]
    footer = (f"all {question.unit}s", *everything, *([duration(seconds)] if has_times else []))
    return Table(about, headings, shown, [footer])


def _time(seconds: float) -> str:
    return duration(seconds) if math.isfinite(seconds) else counted(seconds)


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


_COST: dict[Work, str] = {
    "evaluate": "time: of scoring n rows, and where a design needs them of the proxy's pass over all rows and of a "
    "pilot; a proxy made of the model's own logits saves labels, not time",
    "label": "n counts labels; predictions come before them, so a proxy made of these costs no label",
    "score": "n counts rows that are scored",
}
_SIMPLE = {"with_replacement", "without_replacement", "epoch"}


def notes(question: Question, assurance: float, *, designs: Collection[str] = ("systematic",)) -> list[str]:
    """Say what the figures are, and of a pilot what was allowed for its own error.

    Parameters
    ----------
    question : Question
        What was asked.
    assurance : float
        Of a pilot.
    designs : collection of str
        What there are plans for, by ``sampling``.
    """
    said = [
        f"n: normal formula, the estimate within the tolerance in {_of_100(question.confidence)} batches, of each "
        "metric by itself; simple random samples to the nearest row. *: the configured sampling",
        _COST[question.work],
    ]
    if question.pilot is None:
        if question.work != "evaluate":
            said[-1] += "; here all rows have theirs, so the plan is for others like them"
        if "systematic" in designs:
            said.append(
                "systematic: of the sizes N/k, the one from which all larger ones are enough; others may not be, and "
                "no batch tells its own error"
            )
        return said
    said.append(
        f"allowance for the pilot's own error: the variances' upper limits, so that the plan is enough for "
        f"{_of_100(assurance)} pilots (measured for the loss, where 80 were asked for, on five populations: 69 to 89 "
        "with pilots of 300 rows, 89 to 90 with 1,000)"
    )
    if not _SIMPLE.issuperset(designs):
        said.append(
            "other designs than simple ones: what they gain is the pilot's own figure, with no allowance for its "
            "error; enough for 77 to 93 of 100 pilots of 300 rows where that was measured"
        )
    said.append("not checked by drawing, for only the pilot's rows were scored")
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
    if f"{_NAMES[0]}/n" not in cells:
        # The axis is the loss's tolerance: without losses the cells are told apart by their groups.
        cells = cells.assign(label=cells["group"].str.replace("study.", ""), group="")
    else:
        cells = cells.assign(label=[f"{within:g}" for within in cells["study.loss_within"]])
    shown = []
    headings = (
        "loss\nwithin" if f"{_NAMES[0]}/n" in cells else "cell",
        "loss,\nn",
        "within\n%",
        "accuracy,\nn",
        "within\n%",
        "both",
        "time",
    )
    for group, own in cells.groupby("group", sort=False):
        first = own.iloc[0]
        about = (str(first["population"]), f"{int(first['population_size']):,} rows", str(group))
        rows: list[tuple[str, ...]] = [
            (
                str(row["label"]),
                counted(row.get("loss/n", math.nan)),
                _percent(row.get("loss/within", math.nan)),
                counted(row.get("accuracy/n", math.nan)),
                _percent(row.get("accuracy/within", math.nan)),
                counted(row.get("rows/n", math.nan)),
                duration(row["seconds/n"]) if math.isfinite(row.get("seconds/n", math.nan)) else "?",
            )
            for row in own.to_dict("records")
        ]
        kept = _kept(cells)
        shown.append(
            Table(
                ", ".join(filter(None, about)),
                tuple(heading for heading, is_kept in zip(headings, kept, strict=True) if is_kept),
                [tuple(cell for cell, is_kept in zip(row, kept, strict=True) if is_kept) for row in rows],
            )
        )
    return shown


def _kept(cells: pd.DataFrame) -> tuple[bool, ...]:
    """Which of a sweep's columns there are: those of the metrics that are planned for, and the time."""
    loss, accuracy = (f"{metric}/n" in cells for metric in _NAMES)
    return (True, loss, loss, accuracy, accuracy, loss and accuracy, "seconds/n" in cells)


def sweep_summary(cells: pd.DataFrame) -> str:
    """Say what the cells' plans range over."""
    n = [value for value in cells.get("rows/n", []) if math.isfinite(value)]
    if not n:
        return "No plan has a number of rows."
    low, high = min(n), max(n)
    planned = [name for name in _NAMES if f"{name}/n" in cells]
    what = "both metrics" if len(planned) > 1 else f"the {planned[0]}"
    return f"Enough for {what}: {counted(low)}{f' to {counted(high)}' if high > low else ''} rows."


def _advice(own: Mapping[Any, Any], question: Question) -> str:
    n, size = own["n"], question.size
    never = [name for name in question.within if math.isinf(own[f"{name}_n"])]
    unknown = [name for name in question.within if math.isnan(own[f"{name}_n"])]
    if unknown:
        return f"Nothing can be planned for the {' and the '.join(unknown)} {_how(own)} from this pilot."
    if never:
        return f"No number of {question.unit}s {_how(own)} brings the {' and the '.join(never)} within the tolerance."
    if n > size:
        return (
            f"{question.units(n).capitalize()} {_how(own)} would be needed, more than the {size:,} there are: "
            f"{_DOING[question.work]} all of them leaves no error."
        )
    share = f"{_share(n / size)} % of the {size:,}"
    within = " and the ".join(f"{metric} within {question.tolerance(metric)}" for metric in question.within)
    allowed = "" if question.pilot is None else ", with the allowance for the pilot"
    return (
        f"{question.work.capitalize()} {question.units(n)} {_how(own)} ({share}): then the "
        f"{within.replace(' within', ' is within', 1)} in {_of_100(question.confidence)} batches{allowed}."
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
