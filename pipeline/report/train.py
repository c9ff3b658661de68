"""The table of training batch sizes: what each took to a target; and the sentences made from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..metric.columns import of_column
from .result import Table
from .words import NONE, count, counted, duration, in_words, significant

if TYPE_CHECKING:
    import pandas as pd

_HEADINGS = ("batch", "rate", "loss:\nsteps", "examples", "time", "accuracy:\nsteps", "examples", "time")
# Smaller savings cannot be told from the spacing of the evaluations (see `pipeline.study.train.MARKS`).
NO_SAVING = 1.15


def table(rows: Sequence[Mapping[Any, Any]], title: str) -> Table:
    """Return a row per batch size: the learning rate chosen, and what it took to the target of either metric.

    Parameters
    ----------
    rows : sequence of mapping
        ``batch_size`` and the metrics of a cell each.
    title : str
        What the rows are about.
    """
    lines: list[tuple[str, ...]] = [
        (
            f"{int(row['batch_size']):,}",
            f"{row['train/learning_rate']:g}",
            *_taken(row, "loss"),
            *_taken(row, "accuracy"),
        )
        for row in rows
    ]
    return Table(f"{title}\ntargets: {_targets(rows)}", _HEADINGS, lines)


def title(cells: pd.DataFrame, group: str) -> str:
    """Name the data and the group of some cells."""
    return ", ".join(filter(None, (str(cells.iloc[0]["population"]), group)))


def caption(budget: str) -> str:
    """Say how to read the table; `budget` is what every rate and size was given."""
    return (
        "Steps, examples and time of training until the test split was first found at the target "
        f"({NONE}: not within the budget). Budget held: {budget} for every batch size and every rate. "
        "Rate: the one of study.learning_rates with the lowest loss over the train split at the end. "
        "Time: of training alone, evaluations not counted."
    )


def budget_words(cells: pd.DataFrame, kind: str) -> str:
    """Say how much of what every training was given, such as ``80,000 examples``."""
    sizes = cells["budget/size"]
    if sizes.min() < sizes.max():
        return f"{sizes.min():,.6g} to {sizes.max():,.6g} {kind}"
    return f"{sizes.iloc[0]:,.6g} {kind}"


def target_words(metric: str, target: float) -> str:
    """Write a target with its unit.

    Examples
    --------
    >>> target_words("loss", 0.25), target_words("accuracy", 0.934)
    ('a loss of 0.25 nats', 'an accuracy of 93.4 %')
    """
    part = of_column(metric)
    article = "an" if part.words[0] in "aeiou" else "a"
    return f"{article} {part.words} of {_value(part, target)}"


def _value(metric: Metric, mean: float) -> str:
    return f"{metric.factor * mean:.4g} {metric.unit}"


def cell_summary(metrics: Mapping[str, float], batch: int, kind: str) -> str:
    """Say in a sentence when one training reached its targets, or where it ended."""
    parts = []
    for metric in MAIN:
        words = target_words(metric, metrics[f"{metric}/target"])
        steps = metrics[f"{metric}/steps_to_target"]
        if math.isfinite(steps):
            examples, seconds = metrics[f"{metric}/examples_to_target"], metrics[f"{metric}/seconds_to_target"]
            parts.append(
                f"{words} after {counted(steps, 'step')} ({counted(examples, 'example')}, {duration(seconds)})"
            )
        else:
            ended = _value(of_column(metric), metrics[f"{metric}/test"])
            parts.append(f"{words} not at all within {metrics['budget/size']:,.6g} {kind} (it ended at {ended})")
    how = f"{counted(batch, 'row')} a step and rate {metrics['train/learning_rate']:g}"
    return f"With {how} the test split reached {'; '.join(parts)}."


def conclusion(cells: pd.DataFrame, budget: str) -> str:
    """Say up to which batch size more rows a step saved steps, and which size was cheapest, a sentence per metric."""
    sentences = []
    for group, own in cells.groupby("group", sort=False):
        whole = " ".join(f"{_conclusion(own, metric, budget)}." for metric in MAIN)
        sentences.append(f"{group!s}: {whole}" if group else whole)
    return "\n".join(sentences)


def _conclusion(cells: pd.DataFrame, metric: str, budget: str) -> str:
    words = f"To {target_words(metric, float(cells.iloc[0][f'{metric}/target']))}"
    reached = cells[cells[f"{metric}/steps_to_target"].map(math.isfinite)].sort_values("batch_size")
    never = [f"{size:,}" for size in sorted(set(cells["batch_size"]) - set(reached["batch_size"]))]
    missed = f", and b = {in_words(never)} did not get there within {budget}" if never else ""
    if reached.empty:
        return f"{words} no batch size got within {budget}"
    sizes, steps = reached["batch_size"].to_list(), reached[f"{metric}/steps_to_target"].to_list()
    examples, seconds = (reached[f"{metric}/{unit}_to_target"].to_list() for unit in ("examples", "seconds"))
    fewest, fastest = sizes[examples.index(min(examples))], sizes[seconds.index(min(seconds))]
    if len(sizes) == 1:
        return f"{words} b = {fewest:,} took {counted(steps[0], 'step')}{missed}"
    last = last_saving(sizes, steps)
    at = steps[sizes.index(last)]
    if last == sizes[0]:
        saved = f"more than b = {last:,} saved no steps ({count(at)})"
    else:
        beyond = "" if last == sizes[-1] else " and none beyond"
        saved = f"more rows a step saved steps up to b = {last:,}{beyond} ({count(steps[0])} to {count(at)}: "
        saved += (
            f"{last / sizes[0]:.3g} times the rows, {significant(steps[0] / at).removesuffix('.0')} times fewer steps)"
        )
    cheapest = f"b = {fewest:,} took the fewest examples"
    cheapest += " and the least time" if fastest == fewest else f", b = {fastest:,} the least time"
    return f"{words} {saved}; {cheapest}{missed}"


def last_saving(sizes: Sequence[int], steps: Sequence[float]) -> int:
    """Return the smallest batch size beyond which no larger one takes markedly fewer steps.

    Examples
    --------
    >>> last_saving([8, 32, 128], [100, 30, 28])
    32
    """
    return next(size for i, size in enumerate(sizes) if steps[i] <= NO_SAVING * min(steps[i:]))


def _taken(row: Mapping[Any, Any], metric: str) -> tuple[str, str, str]:
    steps, examples, seconds = (float(row[f"{metric}/{unit}_to_target"]) for unit in ("steps", "examples", "seconds"))
    if not math.isfinite(steps):
        return NONE, NONE, NONE
    return count(steps), count(examples), duration(seconds)


def _targets(rows: Sequence[Mapping[Any, Any]]) -> str:
    words = {" and ".join(target_words(metric, float(row[f"{metric}/target"])) for metric in MAIN) for row in rows}
    return f"{words.pop()} on the test split" if len(words) == 1 else "each row's own"
