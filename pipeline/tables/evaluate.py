"""The table of batch sizes: how far one batch is off, how often its interval holds, what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.records import Table

_KNOWN = ("batch", "loss, nats", "accuracy, %", "loss %\nheld", "acc. %\nheld", "time", "% of\nall")
_DRAWN = ("batch", "loss, nats", "accuracy, %", "time")


def table(rows: Sequence[Mapping[Any, Any]], title: str) -> Table:
    """Return a row a batch size, and the population's own values below.

    Parameters
    ----------
    rows : sequence of mapping
        ``batch_size`` and the metrics of a cell each; of one population.
    title : str
        What the rows are about.

    Returns
    -------
    Table
        Where the population was scored in no cell, what a batch is off by is left out.
    """
    known = [row for row in rows if is_known(row)]
    if not known:
        return Table(title, _DRAWN, [_drawn_row(row) for row in rows])
    population = ("all", f"{known[0]['loss/all']:.4f}", f"{100 * known[0]['accuracy/all']:.2f}", "", "")
    return Table(
        title,
        _KNOWN,
        [_known_row(row) if is_known(row) else (*_drawn_row(row)[:3], "", "", _drawn_row(row)[3], "") for row in rows],
        [(*population, duration(known[0]["seconds/all"]), "")],
    )


def is_known(row: Mapping[Any, Any]) -> bool:
    """Whether the population was scored, so that a cell's errors are known (be they infinite)."""
    return "seconds/all" in row and math.isfinite(row["seconds/all"])


def caption(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say how to read the table; each row has the intervals' ``confidence`` beside its metrics."""
    levels = " or ".join(f"{100 * level:g} %" for level in dict.fromkeys(row["confidence"] for row in rows))
    drawn = f"± is half the mean width of the {levels} intervals"
    if not any(is_known(row) for row in rows):
        return f"{drawn}; all rows were not scored, so what a batch is off by is not known."
    mixed = "" if all(is_known(row) for row in rows) else f" Where all rows were not scored, {drawn}."
    return (
        "± is what one batch is off by (root mean square over the draws). Held: the share of the draws whose "
        f"{levels} interval holds the value of all rows (—: one row gives no interval). Time: to evaluate one batch, "
        f"and as a share of evaluating all rows.{mixed}"
    )


def _known_row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        f"{int(row['batch_size']):,}",
        f"{row['loss/mean']:.4f} ± {row['loss/rmse']:.4f}",
        f"{100 * row['accuracy/mean']:.2f} ± {100 * row['accuracy/rmse']:.2f}",
        "—" if not math.isfinite(row["loss/half_width"]) else _percent(row["loss/coverage"]),
        _percent(row["accuracy/coverage"]),
        duration(row["seconds/batch"]),
        _share(row["seconds/batch"] / row["seconds/all"]),
    )


def _drawn_row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        f"{int(row['batch_size']):,}",
        f"{row['loss/mean']:.4f} ± {row['loss/half_width']:.4f}",
        f"{100 * row['accuracy/mean']:.2f} ± {100 * row['accuracy/half_width']:.2f}",
        duration(row["seconds/batch"]),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _share(ratio: float) -> str:
    return f"{100 * ratio:.0f}" if ratio >= 0.1 else f"{100 * ratio:.2g}"


def duration(seconds: float) -> str:
    """Write a time with the unit people would use.

    Examples
    --------
    >>> duration(0.0123), duration(4.2e-5)
    ('12.3 ms', '42 µs')
    """
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"
