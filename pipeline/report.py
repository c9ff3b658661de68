"""What the terminal shows: one line for an error, a table for a result, a bar while work goes on."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.comparison import Comparison
    from pipeline.experiment import Experiment
    from pipeline.study.base import Result
    from pipeline.tracking import Store

# Read at import: __main__ sets the variable for Hydra's sake later on.
WANTS_TRACEBACK = os.environ.get("HYDRA_FULL_ERROR") == "1"


def error(line: str) -> None:
    """One line on standard error."""
    print(f"batchscope: {' '.join(line.split())}", file=sys.stderr, flush=True)


class Progress:
    """A progress bar on standard error; silent when that is no terminal."""

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._unit = total, unit
        self._bar: Any = None
        self._task: Any = None

    def start(self) -> None:
        """Show the bar."""
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("Sweep"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(self._unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=self._total)
        self._bar.start()

    def advance(self) -> None:
        """One more is done."""
        if self._bar is not None:
            self._bar.advance(self._task)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def sweep(comparison: Comparison, experiment: Experiment, *, store: Store, run_id: str) -> None:
    """The cells as a table, the conclusion, and where everything is."""
    console = _console()
    for group, cells in comparison.cells.groupby("group", sort=False):
        first = cells.iloc[0]
        varied = "data=" in str(group) or "data." in str(group)
        what = "" if varied else f"{experiment.data.name} {experiment.data.split}"
        parts = (what, str(group), f"{int(first['population_size']):,} rows")
        console.print(_table(cells.to_dict("records"), ", ".join(filter(None, parts))))
    records = comparison.cells.to_dict("records")
    levels = [f"{100 * level:g} %" for level in comparison.cells["confidence"].unique()]
    if "loss/rmse" in records[0]:
        console.print(
            "± is what one batch is off by (root mean square over the draws). Held: the share of the draws whose "
            f"{' or '.join(levels)} interval holds the value of all rows (—: one row gives no interval). "
            "Time: to evaluate one batch, and as a share of evaluating all rows.",
            style="dim",
        )
    console.print(f"\n{comparison.summary}")
    _where(console, store, run_id, "cells.csv and the plots")


def cell(result: Result, experiment: Experiment, *, store: Store, run_id: str) -> None:
    """One cell's figures, and where everything is."""
    console = _console()
    row = {"batch_size": experiment.batch_size, **result.metrics}
    console.print(_table([row], f"{experiment.data.name} {experiment.data.split}, {experiment.draws:,} draws"))
    for note in result.notes:
        console.print(f"  {note}", style="dim")
    _where(console, store, run_id, "draws.parquet and config.yaml")


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def _where(console: Console, store: Store, run_id: str, what: str) -> None:
    console.print(f"\n{what} are in MLflow's run {run_id}; see them with", highlight=False, soft_wrap=True)
    console.print("    make ui")


def _table(rows: list[dict[Any, Any]], title: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, padding=(0, 1))
    known = "loss/rmse" in rows[0]
    # Two short lines a heading: eight digits and a unit must fit beside each other in 80 columns.
    for heading in ("batch", "loss, nats", "accuracy, %", *(("loss\nheld", "acc.\nheld") if known else ()), "time"):
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    if known:
        table.add_column("of\nall", justify="right", no_wrap=True, vertical="bottom")
    for row in rows:
        table.add_row(*(_known_row(row) if known else _drawn_row(row)))
    if known:
        first = rows[0]
        table.add_section()
        table.add_row(
            "all",
            f"{first['loss/all']:.4f}",
            f"{100 * first['accuracy/all']:.2f}",
            "",
            "",
            _time(first["seconds/all"]),
            "",
        )
    return table


def _known_row(row: dict[Any, Any]) -> list[str]:
    return [
        f"{int(row['batch_size']):,}",
        f"{row['loss/mean']:.4f} ± {row['loss/rmse']:.4f}",
        f"{100 * row['accuracy/mean']:.2f} ± {100 * row['accuracy/rmse']:.2f}",
        "—" if not math.isfinite(row["loss/half_width"]) else _percent(row["loss/coverage"]),
        _percent(row["accuracy/coverage"]),
        _time(row["seconds/batch"]),
        _share(row["seconds/batch"] / row["seconds/all"]),
    ]


def _drawn_row(row: dict[Any, Any]) -> list[str]:
    return [
        f"{int(row['batch_size']):,}",
        f"{row['loss/mean']:.4f} ± {row['loss/half_width']:.4f}",
        f"{100 * row['accuracy/mean']:.2f} ± {100 * row['accuracy/half_width']:.2f}",
        _time(row["seconds/batch"]),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _share(ratio: float) -> str:
    return f"{100 * ratio:.0f} %" if ratio >= 0.1 else f"{100 * ratio:.2g} %"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"
