"""How many rows are enough, design by design, and the sentence that a person can act on."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ..metric.base import Metric
from ..metric.columns import in_order, of_column
from .by_metric import split
from .result import Table
from .words import count, counted, duration, in_words, level, percent

if TYPE_CHECKING:
    import pandas as pd

SWEEP_CAPTION = "n: the fewest rows with the configured sampling; both: the larger; within: of batches drawn at that n."
# What has to be done with the rows that are drawn. Given predictions need no evaluation, but labels or scores.
Work = Literal["evaluate", "label", "score", "measure"]
_DOING: dict[Work, str] = {
    "evaluate": "evaluating",
    "label": "labelling",
    "score": "scoring",
    "measure": "measuring",
}
# With fewer pilot rows the allowance for the pilot's own error is too small.
_ENOUGH_PILOT = 300
# As of `study.planning.variants`.
_BY_CLASS = "stratified_label"


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
        What is done to the rows that are drawn: ``evaluate``; or, where there are predictions already, ``label``,
        ``score`` or ``measure``.
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
        return of_column(metric).tolerance(self.within[metric])

    def units(self, n: float) -> str:
        """Write a number of units, such as 3,034 rows."""
        return counted(n, self.unit)


def tables(rows: Sequence[Mapping[Any, Any]], question: Question, *, seconds: float) -> list[Table]:
    """Return a row per design, those that need the fewest first, and all rows below.

    Metrics that do not fit make further tables, which show only how many rows each metric needs.

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
    ordered = sorted(rows, key=lambda row: (math.isnan(row["n"]), row["n"]))
    return split(
        [of_column(metric) for metric in question.within],
        lambda metrics, is_first: _table(ordered, question, about, seconds, metrics=metrics, is_first=is_first),
    )


def _table(
    rows: Sequence[Mapping[Any, Any]],
    question: Question,
    about: str,
    seconds: float,
    *,
    metrics: Sequence[Metric],
    is_first: bool,
) -> Table:
    headings = ("design", *(f"{metric.words}\n{question.tolerance(metric.column)}" for metric in metrics))
    names = [f"{row['words']}{' *' if row['is_configured'] else ''}" for row in rows]
    counts = [[count(row[f"{metric.column}_n"]) for metric in metrics] for row in rows]
    if not is_first:
        return Table(about, headings, [(name, *own) for name, own in zip(names, counts, strict=True)])
    has_times, n_asked = all("seconds" in row for row in rows), len(question.within)
    headings += together(n_asked) + ("% of\nall",) + (("time",) if has_times else ())
    shown = []
    for row, name, own in zip(rows, names, counts, strict=True):
        both = [count(row["n"])] if n_asked > 1 else []
        times = [_time(row["seconds"])] if has_times else []
        shown.append((name, *own, *both, _share(row["n"] / question.size), *times))
    everything = [*[""] * (len(metrics) if n_asked > 1 else 0), f"{question.size:,}", "100"]
    footer = (f"all {question.unit}s", *everything, *([duration(seconds)] if has_times else []))
    return Table(about, headings, shown, [footer])


def _time(seconds: float) -> str:
    return duration(seconds) if math.isfinite(seconds) else count(seconds)


def summary(rows: Sequence[Mapping[Any, Any]], question: Question) -> str:
    """Say what to do with the configured design, and which other one needs fewer rows."""
    own = next(row for row in rows if row["is_configured"])
    sentences = [_advice(own, question)]
    others = [row for row in rows if not row["is_configured"] and row["n"] <= question.size and not _is_left_out(row)]
    best = min(others, key=lambda row: row["n"], default=None)
    if best is not None and not best["n"] >= own["n"]:
        known = own["n"] <= question.size
        sentences.append(
            f"{'Fewer are' if known else 'Fewest are'} enough {_how(best)}: {count(best['n'])} ({best['overrides']})."
        )
    return " ".join(sentences)


def _needs_classes(row: Mapping[Any, Any]) -> bool:
    """Whether a design asks for every row's class beforehand, which is what the plan is to save where labels cost."""
    return str(row.get("design", "")) == _BY_CLASS


def _is_left_out(row: Mapping[Any, Any]) -> bool:
    """Whether a design is not advised: what few systematic samples of these rows do is the luck of their order."""
    return _needs_classes(row) or str(row.get("design", "")).startswith("systematic")


def class_notes(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Say which design the advice leaves out, and why."""
    return [
        f"{row['words']} needs the class of each row beforehand, so it is not recommended"
        for row in rows
        if _needs_classes(row) and not row["is_configured"]
    ]


_COST: dict[Work, str] = {
    "evaluate": "time: of scoring n rows, and where a design needs them of the proxy's pass over all rows and of a "
    "pilot; a proxy made of the model's own logits saves labels, not time",
    "label": "n counts labels; predictions come before them, so a proxy made of these costs no label",
    "score": "n counts rows that are scored",
    "measure": "n counts rows that are measured",
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
                "systematic: of the sizes N/k, the one from which all larger ones are enough for the N/n samples that "
                "this order of the rows has; another order may need more, so it is not recommended"
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
    batches = f"{within:,} of {draws:,} batches of {question.units(n)}"
    return (
        f"checked by drawing: {batches} had the {of_column(metric).words} within "
        f"{question.tolerance(metric)}: {percent(share)} ± {error:.1f} %, planned {level(question.confidence)} %"
    )


def sweep(cells: pd.DataFrame) -> list[Table]:
    """Return a row per cell."""
    metrics = _planned(cells)
    # The axis is the tolerance of the metrics that are no shares: with shares alone, groups tell the cells apart.
    on_axis = [metric for metric in metrics if not metric.is_share]
    if on_axis:
        cells = cells.assign(label=[f"{within:g}" for within in cells["study.loss_within"]])
    else:
        cells = cells.assign(label=cells["group"].str.replace("study.", ""), group="")
    label = f"{on_axis[0].words}\nwithin" if on_axis else "cell"
    shown: list[Table] = []
    for _, own in cells.groupby("group", sort=False):
        make = partial(_sweep_table, own, label, together(len(metrics)))
        shown += split(metrics, make)
    return shown


def _sweep_table(
    cells: pd.DataFrame, label: str, all_metrics: tuple[str, ...], metrics: Sequence[Metric], is_first: bool
) -> Table:
    first, is_timed = cells.iloc[0], "seconds/n" in cells
    about = (str(first["population"]), f"{int(first['population_size']):,} rows", str(first["group"]))
    headings = (label, *(text for metric in metrics for text in (f"{metric.words},\nn", "within\n%")))
    rows = [_by_metric(row, metrics) for row in cells.to_dict("records")]
    if is_first:
        headings += all_metrics + (("time",) if is_timed else ())
        ends = [_of_all(row, bool(all_metrics), is_timed) for row in cells.to_dict("records")]
        rows = [own + end for own, end in zip(rows, ends, strict=True)]
    return Table(", ".join(filter(None, about)), headings, rows)


def together(n_metrics: int) -> tuple[str, ...]:
    """Return the heading of the rows that all metrics need; none where there is but one metric."""
    return ("both" if n_metrics == 2 else "all",) if n_metrics > 1 else ()


def _by_metric(row: Mapping[Any, Any], metrics: Sequence[Metric]) -> tuple[str, ...]:
    cells = [str(row["label"])]
    for metric in metrics:
        cells.append(count(row.get(f"{metric.column}/n", math.nan)))
        cells.append(_within(row.get(f"{metric.column}/within", math.nan)))
    return tuple(cells)


def _of_all(row: Mapping[Any, Any], has_several: bool, is_timed: bool) -> tuple[str, ...]:
    """Return the rows that all metrics need, and their time."""
    cells = [count(row.get("rows/n", math.nan))] if has_several else []
    if is_timed:
        cells.append(duration(row["seconds/n"]) if math.isfinite(row["seconds/n"]) else "?")
    return tuple(cells)


def _planned(cells: pd.DataFrame) -> list[Metric]:
    """Return the metrics that some cell has a plan for."""
    names = [name.removesuffix("/n") for name in map(str, cells) if name.endswith("/n")]
    return in_order(name for name in names if name not in ("rows", "seconds"))


def sweep_summary(cells: pd.DataFrame) -> str:
    """Say what the cells' plans range over."""
    n = [value for value in cells.get("rows/n", []) if math.isfinite(value)]
    if not n:
        return "No plan has a number of rows."
    low, high = min(n), max(n)
    planned = _planned(cells)
    what = f"{together(len(planned))[0]} metrics" if len(planned) > 1 else f"the {planned[0].words}"
    return f"Enough for {what}: {count(low)}{f' to {count(high)}' if high > low else ''} rows."


def _advice(own: Mapping[Any, Any], question: Question) -> str:
    n, size = own["n"], question.size
    metrics = [of_column(name) for name in question.within]
    never = [metric.words for metric in metrics if math.isinf(own[f"{metric.column}_n"])]
    unknown = [metric.words for metric in metrics if math.isnan(own[f"{metric.column}_n"])]
    if unknown:
        return f"Nothing can be planned for the {in_words(unknown, each='the ')} {_how(own)} from this pilot."
    if never:
        return (
            f"No number of {question.unit}s {_how(own)} brings the {in_words(never, each='the ')} within the tolerance."
        )
    if n > size:
        return (
            f"{question.units(n).capitalize()} {_how(own)} would be needed, more than the {size:,} there are: "
            f"{_DOING[question.work]} all of them leaves no error."
        )
    share = f"{percent(n / size)} % of the {size:,}"
    within = in_words([f"{m.words} within {question.tolerance(m.column)}" for m in metrics], each="the ")
    allowed = "" if question.pilot is None else ", with the allowance for the pilot"
    return (
        f"{question.work.capitalize()} {question.units(n)} {_how(own)} ({share}): then the "
        f"{within.replace(' within', ' is within', 1)} in {_of_100(question.confidence)} batches{allowed}."
    )


def _how(row: Mapping[Any, Any]) -> str:
    words = str(row["words"])
    return f"drawn {words}" if words.startswith("with") else f"with {words}"


def _of_100(share: float) -> str:
    return f"{level(share)} of 100"


def _within(share: float) -> str:
    return "" if math.isnan(share) else percent(share)


def _share(ratio: float) -> str:
    return percent(ratio) if math.isfinite(ratio) else count(ratio)
