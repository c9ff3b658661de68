"""What every result of the face can do: say its answer, show itself as a table, and give its figures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ..metric.columns import described
from ..report import page_html
from ..report.result import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ..metric.base import Metric


@dataclass(frozen=True, repr=False)
class Answer(ABC):
    """A result. Its figures are fields by name; ``str`` and ``repr`` are the answer in words and its table.

    Attributes
    ----------
    metrics : mapping of str to object
        What was found of each metric; ``answer.loss`` is ``answer.metrics["loss"]``.
    """

    metrics: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        """Return what was found of a metric."""
        # Not yet set where a copy is made.
        found = self.__dict__.get("metrics", {})
        if name in found:
            return found[name]
        raise AttributeError(f"{type(self).__name__} has no {name!r}; its metrics are {', '.join(found)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.metrics})

    def __repr__(self) -> str:
        return "\n\n".join([self.sentence, *map(as_text, self._tables())])

    def _repr_html_(self) -> str:
        return page_html.part(self.sentence, self._tables())

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self._records())

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and texts, for `json.dumps`."""
        return {"answer": self.sentence, "metrics": {name: asdict(own) for name, own in self.metrics.items()}}

    @property
    def request(self) -> Mapping[str, Any]:
        """The options by which a command makes this result, for `log`; empty where none does."""
        return self.__dict__.get("_request", {})

    @property
    @abstractmethod
    def sentence(self) -> str:
        """The answer in words."""

    @abstractmethod
    def plot(self) -> Figure:
        """Return the answer as a picture, a matplotlib Figure."""

    @abstractmethod
    def _records(self) -> list[dict[str, Any]]:
        """A row a metric."""

    @abstractmethod
    def _tables(self) -> list[Table]:
        """For display."""


A = TypeVar("A", bound=Answer)


def logged(answer: A, log: bool) -> A:
    """Return a result, which is put into MLflow first where that is asked for."""
    if log:
        # Here, for nothing else of the face needs MLflow.
        from ..commands.log import log as put

        put(answer)
    return answer


def as_text(table: Table) -> str:
    """Return a table as text, its columns right-aligned but for the first; a cell may have several lines."""
    head = _lines_of(table.headings, is_low=True)
    rows, footer = ([line for row in part for line in _lines_of(row)] for part in (table.rows, table.footer))
    widths = [max(map(len, column)) for column in zip(*head, *rows, *footer, strict=True)]

    def line(row: tuple[str, ...]) -> str:
        first, *others = (cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))  # noqa: B905
        return "  ".join([first, *others]).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    body = [*map(line, rows), *([rule] if footer else []), *map(line, footer)]
    return "\n".join([table.title, *map(line, head), rule, *body])


def _lines_of(row: tuple[str, ...], *, is_low: bool = False) -> list[tuple[str, ...]]:
    """Return the lines that a row takes, as many as its longest cell has; `is_low` puts shorter cells to the bottom."""
    cells = [cell.split("\n") for cell in row]
    height = max(map(len, cells))
    filled = [[""] * (height - len(own)) + own if is_low else own + [""] * (height - len(own)) for own in cells]
    return list(zip(*filled, strict=True))


@contextmanager
def words_of(metrics: Mapping[str, Metric]) -> Iterator[None]:
    """Let the reports write of these metrics as they are described."""
    with described(metrics):
        yield
