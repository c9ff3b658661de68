"""The table of the rows on which two models differ most."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..metric.columns import of_column
from .result import Table
from .words import counted, shortened, significant

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 20
_DIFFERENCE = "_difference"


def rows_table(frame: pd.DataFrame, about: str) -> Table:
    """Return the table.

    Parameters
    ----------
    frame : DataFrame
        A row each, as `study.rows_apart.rows_apart` has it.
    about : str
        All the rows.
    """
    name = next(str(key) for key in frame if str(key).endswith(_DIFFERENCE)).removesuffix(_DIFFERENCE)
    metric, known = of_column(name), [key for key in ("id", "label") if key in frame]
    body: list[tuple[str, ...]] = [
        (
            *(shortened(str(row[key]), _LONGEST) for key in known),
            *(_value(metric.factor * float(row[f"{name}_{which}"])) for which in "ab"),
            _signed(metric.factor * float(row[f"{name}{_DIFFERENCE}"])),
        )
        for row in frame.to_dict("records")
    ]
    unit = f", {metric.unit}" if metric.unit else ""
    of_models = (
        f"{metric.words}{unit},\n{shortened(str(frame[f'model_{which}'].iloc[0]), _LONGEST)}" for which in "ab"
    )
    title = (
        f"{about.partition(',')[0]}, the {counted(len(body), 'row')} that differ{'s' if len(body) == 1 else ''} most"
    )
    return Table(title, (*known, *of_models, "difference"), body)


def _value(value: float) -> str:
    return significant(value) if abs(value) < 0.1 or abs(value) >= 100 or math.isinf(value) else f"{value:#.3g}"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{_value(value)}"
