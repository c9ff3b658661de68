"""`sweep`: how far a random batch of each size is off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..estimation.draws import estimate_draws
from ..interval.by_metric import ByMetric
from ..metric.base import Metric
from ..report import evaluate as words
from ..report.result import Table
from ..sampling import MEMBERS as DESIGNS
from ..sampling.base import Sampling
from ..sampling.frame import Frame
from ..study.drawn import drawn_metrics, draws_frame, ends_of_all, population_metrics
from .answer import Answer, logged, words_of
from .checks import check_cap, check_share, check_whole, whole_numbers
from .intervals import ACCURACY, LOSS, intervals_named
from .messages import in_python
from .request import requested
from .scored_rows import ScoredRows, check_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Designs that need nothing but the rows.
_PLAIN = ("without_replacement", "with_replacement", "epoch")
# The sizes that are drawn where none are given.
_USUAL = (10, 30, 100, 300, 1000)
PICTURES = ("funnel", "error", "coverage")


@dataclass(frozen=True, repr=False)
class Sweep(Answer):
    """How far random batches of each size are off; made by `sweep`.

    Attributes
    ----------
    metrics : mapping of str to DataFrame
        By metric, a row for each batch size: ``all`` (the value of all rows), ``mean``, ``se`` (the standard error by
        theory), ``rmse`` (what a batch is off by), ``bias``, ``half_width`` and ``coverage`` of its interval.
    name : str
        The rows.
    n_rows : int
    draws : int
        Batches of each size.
    confidence : float
        Of their intervals.
    cells, batches : DataFrame
        A row a batch size, as ``cells.csv`` of a sweep has it; and a row a batch.
    """

    metrics: Mapping[str, pd.DataFrame]
    name: str
    n_rows: int
    draws: int
    confidence: float
    cells: pd.DataFrame
    batches: pd.DataFrame
    _known: Mapping[str, Metric] = field(default_factory=dict, repr=False)
    _request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        rows = self._rows()
        few, many = rows[0], rows[-1]
        if any(math.isnan(row[f"{name}/rmse"]) for row in rows for name in self.metrics):
            return f"What a batch is off by is not known, for a loss is infinite ({self.name})."
        with words_of(self._known):
            said = [
                f"of {own['batch_size']:,} by {words.off_by(own)}" for own in ((few, many) if few != many else (few,))
            ]
        return f"A batch {', one '.join(said)} (root mean square, {self.name}).".replace(" by ", " is off by ", 1)

    @property
    def caption(self) -> str:
        """How to read the table."""
        return words.caption(self._rows())

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each batch size and metric."""
        import pandas as pd

        return pd.concat(self.metrics, names=["metric"]).reset_index(level="metric").reset_index(drop=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and texts."""
        return {
            "answer": self.sentence,
            "metrics": {name: own.to_dict("records") for name, own in self.metrics.items()},
        }

    def plot(self, picture: str = "funnel") -> Figure:
        """Draw the batches' values around those of all rows (``funnel``), their ``error``, or their ``coverage``.

        Raises
        ------
        BadInput
            If there is no such picture.
        """
        from ..plots import SWEEP_PLOTS

        if picture not in PICTURES:
            raise BadInput(f"a picture of a sweep must be one of {', '.join(PICTURES)}; found {picture!r}")
        with words_of(self._known):
            return SWEEP_PLOTS[picture](self.cells, self.batches)

    def _rows(self) -> list[dict[str, Any]]:
        return [{str(key): value for key, value in row.items()} for row in self.cells.to_dict("records")]

    def _records(self) -> list[dict[str, Any]]:
        return self._rows()

    def _tables(self) -> list[Table]:
        with words_of(self._known):
            return words.tables(self._rows(), f"{self.name}, {self.n_rows:,} rows, {self.draws:,} draws")


def sweep(
    rows: ScoredRows,
    batch_sizes: Sequence[int] | None = None,
    *,
    draws: int = 1000,
    sampling: str = "without_replacement",
    confidence: float = 0.95,
    loss: str = LOSS,
    accuracy: str = ACCURACY,
    loss_cap: float | None = None,
    seed: int = 0,
    log: bool = False,
) -> Sweep:
    """Draw random batches of each size, and hold their estimates and intervals against the value of all rows.

    Parameters
    ----------
    rows : ScoredRows
        The population.
    batch_sizes : sequence of int, or None
        Rows (or groups) in a batch; drawn without replacement no more than there are. None is those of 10, 30, 100, 300
        and 1000 that fit.
    draws : int
        Batches of each size, at least 1.
    sampling : str
        ``without_replacement``, ``with_replacement`` or ``epoch``.
    confidence : float
        Of each batch's interval, in (0, 1).
    loss, accuracy, loss_cap
        The intervals, as `estimate` has them.
    seed : int
        Of the draws; the same as that of the command gives the same batches.
    log : bool
        Whether the result is put into MLflow, as `bs.log` does.

    Returns
    -------
    Sweep

    Raises
    ------
    BadInput
        If a batch cannot be drawn.

    Examples
    --------
    >>> import pipeline as bs
    >>> rows = bs.scores(correct=[True] * 900 + [False] * 100)
    >>> found = bs.sweep(rows, [10, 100], draws=200)
    >>> found.accuracy[["batch_size", "se"]].round(4).to_dict("list")
    {'batch_size': [10, 100], 'se': [0.0944, 0.0285]}
    """
    import pandas as pd

    check_rows(rows=rows)
    check_share(confidence=confidence)
    check_cap(loss_cap)
    if sampling not in _PLAIN:
        raise BadInput(f"sampling must be one of {', '.join(_PLAIN)}; found {sampling!r}: choose another")
    size, design = rows.units.size, DESIGNS[sampling]()
    check_whole(1, draws=draws)
    check_whole(0, seed=seed)
    sizes = _fitting(batch_sizes, size, is_finite=sampling != "with_replacement")
    intervals = intervals_named(loss, accuracy, target="population")
    cells, batches = [], []
    for batch_size in sizes:
        with in_python(), words_of(rows.metrics):
            own, drawn = _cell(rows, design, batch_size, intervals, loss_cap, draws, seed, confidence)
        cells.append(own)
        batches.append(drawn)
    frame = pd.DataFrame(cells)
    metrics = {name: _of(frame, name) for name in rows.metrics}
    options = {
        "batch_size": sizes,
        "draws": draws,
        "sampling": sampling,
        "confidence": confidence,
        "interval/loss": loss,
        "interval/accuracy": accuracy,
        "study.loss_cap": loss_cap,
        "seed": seed,
    }
    request = requested(options, rows, takes_slices=False)
    every = pd.concat(batches, ignore_index=True)
    return logged(Sweep(metrics, rows.name, len(rows), draws, confidence, frame, every, rows.metrics, request), log)


def _fitting(batch_sizes: Sequence[int] | None, size: int, *, is_finite: bool) -> list[int]:
    if batch_sizes is None:
        return [each for each in _USUAL if each <= size or not is_finite] or [size]
    asked = sorted(set(whole_numbers(batch_sizes, "batch_sizes")))
    wrong = [each for each in asked if each < 1 or (is_finite and each > size)]
    if wrong or not asked:
        raise BadInput(
            f"batch_sizes must be from 1 to the {size:,} that there are; found {', '.join(map(str, wrong)) or 'none'}: "
            "name others, or choose sampling='with_replacement'"
        )
    return asked


def _cell(
    rows: ScoredRows,
    design: Sampling,
    batch_size: int,
    intervals: ByMetric,
    loss_cap: float | None,
    draws: int,
    seed: int,
    confidence: float,
) -> tuple[dict[str, Any], pd.DataFrame]:
    frame = Frame(rows.units.size, lambda: None, _no_guess, _no_score, rows.units.is_simple)
    plan = design.plan(frame, batch_size)
    scored = rows.scored_units(plan, loss_cap=loss_cap)
    chosen = {name: intervals.of(metric, loss_cap=loss_cap) for name, metric in rows.metrics.items()}
    for interval in chosen.values():
        interval.check(plan, "population")
    estimates = estimate_draws(scored, chosen, seed=seed, draws=draws, confidence=confidence)
    where = {"batch_size": batch_size, "group": "", "population": rows.name, "population_size": len(rows)}
    figures = {**drawn_metrics(estimates), **population_metrics(estimates, scored)}
    figures |= ends_of_all(scored, chosen, seed, confidence)
    # Nothing is evaluated here, so no time can be told; that all rows are scored is.
    cell = {**where, "draws": draws, "confidence": confidence, **figures, "seconds/all": 0.0}
    return cell, draws_frame(estimates).assign(batch_size=batch_size, group="")


def _of(cells: pd.DataFrame, name: str) -> pd.DataFrame:
    own = {key: str(key).removeprefix(f"{name}/") for key in cells if str(key).startswith(f"{name}/")}
    return cells[["batch_size", *own]].rename(columns=own)


def _no_guess() -> Any:
    raise BadInput("sampling must be a design that needs no proxy; found one that does: choose another")


def _no_score(units: Any) -> Any:
    raise BadInput("sampling must be a design that needs no pilot; found one that does: choose another")
