"""The looks of an evaluation that stops when it is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.records import Table

if TYPE_CHECKING:
    from pipeline.study.until import Look

_MOST_LINES = 14


def looks(seen: Sequence[Look], title: str, within: Mapping[str, float]) -> Table:
    """Return a row a look, the last one always; of many, some are left out.

    Parameters
    ----------
    seen : sequence of Look
        In order.
    title : str
        What the rows are about.
    within : mapping of str to float
        What was asked, by metric.
    """
    step = -(-len(seen) // _MOST_LINES)
    shown = [look for i, look in enumerate(reversed(seen)) if i % step == 0][::-1]
    rows: list[tuple[str, ...]] = [
        (
            f"{look.n:,}",
            f"{look.value['loss']:.4f} ± {look.half_width('loss'):.4f}",
            _ends(look, "loss", 1, "{:.3f}"),
            f"{100 * look.value['accuracy']:.2f} ± {100 * look.half_width('accuracy'):.2f}",
            _ends(look, "accuracy", 100, "{:.1f}"),
        )
        for look in shown
    ]
    asked = [
        f"± {within['loss']:g}" if "loss" in within else "not asked",
        f"± {100 * within['accuracy']:g}" if "accuracy" in within else "not asked",
    ]
    return Table(
        title,
        ("drawn", "loss, nats", "interval", "accuracy, %", "interval"),
        rows,
        [("asked", asked[0], "", asked[1], "")],
    )


def _ends(look: Look, metric: str, unit: float, form: str) -> str:
    return " – ".join(form.format(unit * end) for end in (look.low[metric], look.high[metric]))


def live(look: Look, size: int) -> str:
    """Say in a line how far it is."""
    return (
        f"{look.n:,} of {size:,}: loss {look.value['loss']:.4f} ± {look.half_width('loss'):.4f}, "
        f"accuracy {100 * look.value['accuracy']:.2f} ± {100 * look.half_width('accuracy'):.2f} %"
    )


def summary(metrics: Mapping[str, float], *, is_enough: bool, unit: str, n: int) -> str:
    """Say where it stopped, what is known then, and what was saved."""
    evaluated, saved = int(metrics["rows/evaluated"]), int(metrics["rows/saved"])
    if is_enough:
        where = f"Stopped after {evaluated:,} of {evaluated + saved:,} rows ({100 * metrics['rows/share']:.3g} %)"
    else:
        where = f"Not within what was asked when all that may be was drawn ({_counted(n, unit)}; {evaluated:,} rows)"
    found = (
        f"loss {metrics['loss/mean']:.4f} ({metrics['loss/low']:.4f} to {metrics['loss/high']:.4f}) nats, accuracy "
        f"{100 * metrics['accuracy/mean']:.2f} ({100 * metrics['accuracy/low']:.2f} to "
        f"{100 * metrics['accuracy/high']:.2f}) %"
    )
    end = f" {saved:,} rows did not have to be evaluated." if saved else " All rows were evaluated."
    return f"{where}: {found}.{end}"


def comparison(cells: Sequence[Mapping[Any, Any]]) -> Table:
    """Return a row a cell of a sweep."""
    rows: list[tuple[str, ...]] = [
        (
            str(cell["group"]) or f"b={int(cell['batch_size'])}",
            f"{int(cell['rows/evaluated']):,}",
            f"{100 * cell['rows/share']:.3g}",
            f"{cell['loss/mean']:.4f} ± {cell['loss/half_width']:.4f}",
            f"{100 * cell['accuracy/mean']:.2f} ± {100 * cell['accuracy/half_width']:.2f}",
            "yes" if cell["rows/enough"] else "no",
        )
        for cell in cells
    ]
    title = f"{cells[0]['population']}, {int(cells[0]['population_size']):,} rows"
    return Table(title, ("cell", "rows", "% of\nall", "loss, nats", "accuracy, %", "enough"), rows)


def comparison_caption(confidence: float) -> str:
    """Say how to read the comparison."""
    return (
        f"± is half the width of an interval that holds at every look at once in {100 * confidence:g} % of such runs."
    )


def _counted(n: int, unit: str) -> str:
    return f"{n:,} {unit}{'' if n == 1 else 's'}"
