"""Runs the benches one after the other and prints each row as soon as it is measured."""

from __future__ import annotations

import importlib
import math
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import get_args

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Row, Size

BENCHES = (
    "scoring",
    "sweep",
    "gradients",
    "landscape",
    "intervals",
    "battery",
    "capital",
    "cells",
    "sequence",
    "coverage",
    "draws",
    "engines",
    "face",
    "gate",
    "labels",
    "predictions",
    "start",
    "tracking",
)
SIZES: tuple[Size, ...] = get_args(Size)
# Columns of the figures at the right.
_WIDTH = 10


def main(arguments: Sequence[str]) -> int:
    """Run benches and return the exit status: 1 where one failed, 2 where an argument is wrong.

    Parameters
    ----------
    arguments : sequence of str
        ``size=small``, ``full`` or ``large``, and ``only=NAME,…``.
    """
    try:
        size, names = _parsed(arguments)
    except ValueError as error:
        print(f"batchscope bench: {error}", file=sys.stderr)
        return 2
    console = Console(highlight=False)
    what = "the small form, which shows that every bench runs" if size == "small" else "medians of one run"
    console.print(f"Ratios, {what} (smaller is better)\n")
    _print(console, "what / against what", "measured", "at most", "")
    status = 0
    for name in names:
        try:
            for row in measured(name, size):
                target = math.nan if size == "small" else row.at_most
                _print(console, row.claim, _ratio(row.measured), _ratio(target), _verdict(row.measured, target))
        except Exception as error:
            if os.environ.get("HYDRA_FULL_ERROR") == "1":
                traceback.print_exc()
            reason = " ".join(str(error).split()) or "no reason given"
            print(f"batchscope bench: {name} failed: {type(error).__name__}: {reason}", file=sys.stderr, flush=True)
            status = 1
    return status


def measured(name: str, size: Size) -> Iterator[Row]:
    """Yield a bench's rows as they are measured; what it generates goes to a folder of its own."""
    rows = importlib.import_module(f"benchmarks.{name}").rows
    with tempfile.TemporaryDirectory() as home, _mlruns(home):
        yield from rows(size)


@contextmanager
def _mlruns(home: str) -> Iterator[None]:
    before = os.environ.get("BATCHSCOPE_MLRUNS")
    os.environ["BATCHSCOPE_MLRUNS"] = home
    try:
        yield
    finally:
        if before is None:
            del os.environ["BATCHSCOPE_MLRUNS"]
        else:
            os.environ["BATCHSCOPE_MLRUNS"] = before


def _parsed(arguments: Sequence[str]) -> tuple[Size, Sequence[str]]:
    size: Size = "full"
    names: Sequence[str] = BENCHES
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key == "size" and value in SIZES:
            size = value
        elif key == "size":
            raise ValueError(f"size must be one of {', '.join(SIZES)}; found {value!r}")
        elif key == "only":
            names = value.split(",")
            if unknown := [name for name in names if name not in BENCHES]:
                raise ValueError(f"only must name benches of {', '.join(BENCHES)}; found {', '.join(unknown)!r}")
        else:
            raise ValueError(f"an argument must be size=SIZE or only=NAME,…; found {argument!r}")
    return size, names


def _print(console: Console, claim: str, *figures: str) -> None:
    line = Table.grid(padding=(0, 0, 0, 2), expand=True)
    line.add_column(ratio=1, overflow="fold")
    for _ in figures:
        line.add_column(justify="right", min_width=_WIDTH, no_wrap=True)
    line.add_row(claim, *figures)
    console.print(line)


def _ratio(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return "—"
    return f"{value:.2f}" if value >= 0.05 or value <= 0 else f"1/{1 / value:.0f}"


def _verdict(measured: float, target: float) -> str:
    if math.isnan(measured) or math.isnan(target) or math.isinf(target):
        return ""
    return "ok" if measured <= target else "missed"
