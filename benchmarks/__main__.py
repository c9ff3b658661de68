"""Measure everything and print one table: ``python -m benchmarks [NAME …] [large=true]``.

``large=true`` adds what takes minutes and gigabytes, in the modules that have such.
"""

from __future__ import annotations

import importlib
import math
import sys

from rich import box
from rich.console import Console
from rich.table import Table

MODULES = (
    "scoring",
    "sweep",
    "gradients",
    "landscape",
    "intervals",
    "capital",
    "coverage",
    "draws",
    "engines",
    "predictions",
    "tracking",
)
LARGE = ("predictions",)


def main() -> None:
    """Run the named benchmark modules, or all."""
    asked = sys.argv[1:]
    options = {"large": True} if "large=true" in asked else {}
    names = [name for name in asked if name != "large=true"] or list(MODULES)
    unknown = set(names) - set(MODULES)
    if unknown:
        sys.exit(f"a benchmark must be one of {', '.join(MODULES)}; found {', '.join(sorted(unknown))}")
    table = Table(title="Ratios, medians of one run (smaller is better)", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("what / against what", overflow="fold")
    for heading in ("measured", "at most", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in names:
        rows = importlib.import_module(f"benchmarks.{name}").rows
        for claim, measured, target in rows(**options) if name in LARGE else rows():
            table.add_row(claim, _ratio(measured), _ratio(target), _verdict(measured, target))
    Console(highlight=False).print(table)


def _ratio(value: float) -> str:
    if math.isnan(value):
        return "—"
    return f"{value:.2f}" if value >= 0.05 else f"1/{1 / value:.0f}"


def _verdict(measured: float, target: float) -> str:
    if math.isnan(measured) or math.isnan(target):
        return ""
    return "ok" if measured <= target else "missed"


if __name__ == "__main__":
    main()
