"""The result of a study, as the terminal and the tracking store receive it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..records.learning_curve import LearningCurve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Table:
    """A table for the terminal, at most 80 characters wide.

    Attributes
    ----------
    title : str
        What the rows are about; a line break makes two short lines.
    headings : tuple of str
        One a column; a line break makes two short lines.
    rows : list of tuple of str
        Right-aligned cells.
    footer : list of tuple of str
        Rows set off below the others.
    """

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    footer: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def caption(self) -> str:
        """The title in one line, for a page."""
        return "; ".join(self.title.splitlines())


@dataclass(eq=False)
class Result:
    """What a study found, ready to be logged and shown.

    Attributes
    ----------
    metrics : dict of str to float
        One value each; values that are not finite are allowed.
    series : list of (str, float, int)
        Metric name, value, step.
    draws : DataFrame or None
        A row per draw, logged as ``draws.parquet``.
    tables : dict of str to DataFrame
        Further artifacts by file name, ``….parquet`` or ``….csv``.
    figures : dict of str to Figure
        Pictures by name.
    curve : LearningCurve or None
        Of the network, where it was trained here.
    shown : Table or None
        For the terminal.
    further : list of Table
        Tables of what does not fit into the first.
    answer : str
        The sentence that answers the user's question, shown before everything else; where it is empty the summary
        is.
    summary : str
        One or two sentences that state the conclusion, below the tables if there is an answer; empty if that suffices.
    notes : list of str
        How the figures were made, and caveats.
    texts : dict of str to str
        Further artifacts by file name.
    tags : dict of str to str
        Of the run.
    status : int
        The exit status that the answer asks for, after everything is logged and shown; 0 where it asks for none.
    """

    metrics: dict[str, float]
    series: list[tuple[str, float, int]] = field(default_factory=list)
    draws: pd.DataFrame | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    curve: LearningCurve | None = None
    shown: Table | None = None
    further: list[Table] = field(default_factory=list)
    answer: str = ""
    summary: str = ""
    notes: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    status: int = 0


@dataclass(eq=False)
class Compared:
    """The comparison of the cells of a sweep.

    Attributes
    ----------
    figures : dict of str to Figure
        Pictures by name, for the parent run.
    shown : list of Table
        For the terminal.
    summary : str
        One or two sentences made from the figures.
    caption : str
        How to read the tables.
    answer : str
        As `Result.answer`, where all cells have one answer.
    columns : dict of str to list of float
        Further metrics of each cell that only the comparison tells, by name, in the order of the cells.
    tags : dict of str to str
        Of the sweep's run.
    status : int
        As `Result.status`, of the worst cell.
    """

    figures: dict[str, Figure]
    shown: list[Table]
    summary: str
    caption: str = ""
    answer: str = ""
    columns: dict[str, list[float]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    status: int = 0
