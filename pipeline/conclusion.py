"""The end of a sweep: its finished cells compared and logged with the parent, and what is missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline import report
from pipeline.asked import Asked, Cell
from pipeline.cell import finished_cells
from pipeline.comparison import Comparison, compare, newest
from pipeline.identity import flatten, without
from pipeline.learning import LEARNING, learning_curve_of
from pipeline.outcomes import Outcome
from pipeline.package import Log
from pipeline.tracking import Store

TABLE = "table.txt"
_MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class Conclusion:
    """What is to be told of a sweep that is over.

    Attributes
    ----------
    status : int
        0 done, 1 a cell failed, 2 all were refused.
    shown : str
        The tables and the sentence; empty where nothing finished.
    has_figures : bool
        Whether there are plots.
    trouble : str
        One line that names what is missing; empty where nothing is.
    """

    status: int
    shown: str = ""
    has_figures: bool = False
    trouble: str = ""


def conclude(store: Store, parent: str, asked: Asked, outcomes: Collection[Outcome]) -> Conclusion:
    """Compare the finished cells, log the comparison, end the parent's run, and see what is missing."""
    finished = newest(finished_cells(store, parent), {cell.digest for cell in asked.cells})
    digests = {run.data.tags.get("cell_digest") for run in finished}
    missing = [cell for cell in asked.cells if cell.digest not in digests]
    refused = {outcome.digest for outcome in outcomes if outcome.status == "refused"}
    if len(refused) == len(asked.cells) and not store.children(parent):
        store.discard(parent)
        return Conclusion(2)
    which = _which(asked, missing, {outcome.digest for outcome in outcomes})
    if not finished:
        store.end(parent, "FAILED")
        return Conclusion(1, trouble=f"none of the {len(asked.cells)} cells finished{which}")
    comparison = compare(asked.first.study, finished, store, _swept(asked), parent=parent)
    shown = report.sweep_text(comparison.compared)
    store.log(parent, _log(comparison, asked, store, shown))
    store.end(parent, "FAILED" if missing else "FINISHED")
    has_figures = bool(comparison.compared.figures)
    if not missing:
        return Conclusion(0, shown, has_figures)
    kept = len(asked.cells) - len(missing)
    trouble = (
        f"{len(missing)} of {len(asked.cells)} cells failed{which}; the other {kept} are kept, and the next start "
        "carries out what is missing alone"
    )
    return Conclusion(1, shown, has_figures, trouble)


def _swept(asked: Asked) -> list[str]:
    """The keys that vary or may come to vary; the same however many values they are given."""
    return sorted({*asked.varied, asked.first.study.axis})


def _which(asked: Asked, missing: list[Cell], told: Collection[str]) -> str:
    """Name the missing cells, with what became of those whose worker said nothing."""
    fixed = set(asked.cells[0].overrides).intersection(*(cell.overrides for cell in asked.cells))
    names = []
    for cell in missing[:_MOST_NAMED]:
        name = " ".join(line for line in cell.overrides if line not in fixed) or " ".join(cell.overrides)
        names.append(name if cell.digest in told else f"{name}: its worker ended without a word")
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return f" ({'; '.join(names)}{more})"


def _log(comparison: Comparison, asked: Asked, store: Store, shown: str) -> Log:
    from pipeline.plots import learning_curve

    figures = dict(comparison.compared.figures)
    series = list(comparison.series)
    # A sweep over models or data has a curve a network: each stays with its cells.
    if not any(key.split(".")[0] in ("model", "data") for key in asked.varied):
        a_cell = str(comparison.cells["run_id"].iloc[0])
        learning = {f"learning/{name}": store.metric_history(a_cell, f"learning/{name}") for name in LEARNING}
        series += [(key, value, step) for key, history in learning.items() for step, value in history]
        curve = learning_curve_of(learning)
        if curve is not None:
            figures["learning_curve"] = learning_curve.draw(curve)
    swept = _swept(asked)
    # A run's parameters are for good: what a further value of a swept key would change is none of the parent's.
    return Log(
        params=flatten({"swept": " ".join(swept), **without(comparison.common, swept)}),
        series=series,
        tags={"cells": str(len(comparison.cells)), "mlflow.note.content": comparison.compared.summary},
        tables={"cells.csv": comparison.cells},
        texts={TABLE: shown},
        figures=figures,
    )
