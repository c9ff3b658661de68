"""`until`: evaluate rows in a random order, and stop as soon as the intervals are narrow enough."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput
from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..metric.columns import of_column
from ..records.rows import IntArray
from ..records.scores import Scores
from ..report import until as words
from ..report.result import Table
from ..sampling.streams import EVALUATION_ORDER, generator
from ..sampling.units import Units
from ..study.pool import Pool, looks_frame, looks_until
from .answer import Answer, words_of
from .checks import check_names, check_share, check_whole, is_number, kind_of
from .scored_rows import ScoredRows
from .scores import scores

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Evaluate = Callable[[IntArray], "ScoredRows | Mapping[str, Any]"]


@dataclass(frozen=True, repr=False)
class Stopped(Answer):
    """What was found by the rows that were evaluated; made by `until`.

    Attributes
    ----------
    metrics : mapping of str to Found
        By metric: ``mean``, ``low``, ``high``, ``half_width``; ``stopped.loss.low``.
    name : str
        The rows.
    n_rows : int
        All that there are.
    evaluated : int
        Rows that were evaluated.
    is_enough : bool
        Whether every interval became narrow enough.
    capped : int
        Evaluated rows with a loss above the cap.
    confidence : float
        With which the intervals of all looks hold together.
    looks : DataFrame
        A row a look.
    loss_cap : float
        Losses above it counted as it, nats: the loss's interval holds the mean of the cut losses.
    """

    metrics: Mapping[str, words.Found]
    name: str
    n_rows: int
    evaluated: int
    is_enough: bool
    capped: int
    confidence: float
    looks: pd.DataFrame
    loss_cap: float
    _all: Sequence[words.Look] = field(default=(), repr=False)
    _goals: Mapping[str, float | None] = field(default_factory=dict, repr=False)
    _end: str = "all"
    _known: Mapping[str, Metric] = field(default_factory=dict, repr=False)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        with words_of(self._known):
            return words.summary(self._all[-1], self._goals, self._about)

    def plot(self) -> Figure:
        """Draw how the intervals shrank."""
        from ..plots import until as picture

        with words_of(self._known):
            return picture.draw(self.looks, self._goals, self._about)

    @property
    def _about(self) -> words.About:
        return words.About(self.name, self.n_rows, self.confidence, end=self._end, loss_cap=self.loss_cap)

    def _records(self) -> list[dict[str, Any]]:
        return [{"metric": name, **asdict(own), "half_width": own.half_width} for name, own in self.metrics.items()]

    def _tables(self) -> list[Table]:
        with words_of(self._known):
            return words.tables(self._all, self._goals, self._about)


def until(
    evaluate: Evaluate,
    n_rows: int,
    *,
    loss_within: float | None = 0.05,
    accuracy_within: float | None = 0.02,
    metrics: Sequence[str] = MAIN,
    confidence: float = 0.95,
    max_rows: int | None = None,
    loss_cap: float = 10.0,
    block: int = 50,
    growth: float = 1.2,
    seed: int = 0,
    name: str = "sample",
) -> Stopped:
    """Evaluate rows in a random order, without replacement, until each metric's interval is narrow enough.

    The intervals are anytime-valid: those of all looks hold together with the confidence, for each metric by itself.

    Parameters
    ----------
    evaluate : callable
        Is given row numbers, an ndarray of int of shape (n,), 0 … n_rows - 1, and evaluates these rows: it returns the
        arguments of `scores` as a dict (such as ``{"labels": …, "logits": …}`` or ``{"loss": …, "correct": …}``), or
        what `scores` returns.
    n_rows : int
        N, all rows that there are.
    loss_within, accuracy_within : float or None
        Half the width that the interval may have, above 0: of the loss (nats), and of shares (a fraction). None does
        not ask for it.
    metrics : sequence of str
        What is evaluated; each must have a largest value, of which the loss gets one by its cap.
    confidence : float
        In (0, 1).
    max_rows : int or None
        The most rows that are evaluated.
    loss_cap : float
        Losses above it count as it, nats: no interval can be promised for losses that know no bound.
    block, growth
        Rows of the first look, and the fewest to the next; which comes no sooner than at `growth` times the rows.
    seed : int
        Of the order; the same as that of ``study=until`` gives the same one.
    name : str
        For display.

    Returns
    -------
    Stopped

    Raises
    ------
    BadInput
        If nothing is asked for, or `evaluate` returns something else than these rows' scores.

    Examples
    --------
    >>> import numpy as np
    >>> import pipeline as bs
    >>> correct = np.arange(10_000) % 10 > 0
    >>> found = bs.until(lambda rows: {"correct": correct[rows]}, 10_000, metrics=["accuracy"], accuracy_within=0.05)
    >>> found.is_enough, found.evaluated < 2_000, found.accuracy.low <= 0.9 <= found.accuracy.high
    (True, True, True)
    """
    check_share(confidence=confidence)
    if not callable(evaluate):
        raise BadInput(
            f"evaluate must be a function; found {kind_of(evaluate)}: give one that is called with row numbers"
        )
    check_names(metrics, "metrics")
    known = {each: of_column(each) for each in metrics}
    goals = {each: accuracy_within if metric.is_share else loss_within for each, metric in known.items()}
    _check(known, goals, n_rows=n_rows, max_rows=max_rows, loss_cap=loss_cap, block=block, growth=growth)
    pool = Pool(
        lambda rows: _evaluated(evaluate, rows, list(known), loss_cap),
        Units(n_rows),
        known,
        loss_cap=loss_cap,
        goals=goals,
        confidence=confidence,
        is_finite=True,
    )
    order = generator(EVALUATION_ORDER, seed).permutation(n_rows)[:max_rows]
    with words_of(known):
        looks = list(looks_until(pool, order, goals, block=block, growth=growth))
    last = looks[-1]
    end = "all" if max_rows is None else f"max_rows={max_rows:,}"
    return Stopped(
        last.found, name, n_rows, last.rows, last.is_within(goals), last.capped, confidence, looks_frame(looks),
        loss_cap, looks, goals, end, known,
    )  # fmt: skip


def _evaluated(evaluate: Evaluate, rows: IntArray, names: list[str], loss_cap: float) -> Scores:
    found = evaluate(rows)
    _check_returned(found)
    made = found if isinstance(found, ScoredRows) else scores(**{"metrics": names, **found})
    if len(made) != len(rows):
        raise BadInput(
            f"evaluate must return a value for each of the {len(rows):,} rows it is given; found {len(made):,}"
        )
    lacking = [name for name in names if name not in made.metrics]
    if lacking:
        raise BadInput(
            f"evaluate must return what the {lacking[0]} is told from; found only {', '.join(made.metrics)}: name them "
            f"with metrics={list(made.metrics)}"
        )
    columns = {name: made.scores.columns[name] for name in names}
    capped = 0
    if "loss" in columns:
        capped = int(np.count_nonzero(columns["loss"] > loss_cap))
        columns["loss"] = np.minimum(columns["loss"], loss_cap)
    return Scores.of(columns, ties=made.scores.ties, capped=capped)


def _check_returned(found: object) -> None:
    if isinstance(found, ScoredRows):
        return
    known = inspect.signature(scores).parameters
    is_dict = isinstance(found, Mapping)
    wrong = next((key for key in found if key not in known), None) if isinstance(found, Mapping) else None
    if not is_dict or wrong is not None:
        what = kind_of(found) if wrong is None else f"the key {wrong!r}"
        raise BadInput(
            f'evaluate must return a dict of arguments of bs.scores, such as {{"loss": …, "correct": …}}; found {what}'
        )


def _check(
    known: Mapping[str, Metric],
    goals: Mapping[str, float | None],
    *,
    n_rows: int,
    max_rows: int | None,
    loss_cap: float,
    block: int,
    growth: float,
) -> None:
    for name, goal in goals.items():
        if goal is not None and not (is_number(goal) and 0 < goal < math.inf):
            raise BadInput(f"the goal of the {name} must be above 0 or None; found {kind_of(goal)}")
        metric = known[name]
        if (math.isinf(metric.most) or metric.least != 0) and not metric.takes_loss_cap:
            raise BadInput(f"metrics must have a largest value; found {name}, which has none: leave it out")
    if all(goal is None for goal in goals.values()):
        raise BadInput("loss_within or accuracy_within must be a number; found None for all metrics: set one")
    check_whole(1, n_rows=n_rows, max_rows=1 if max_rows is None else max_rows, block=block)
    if not 0 < loss_cap < math.inf or not 1 <= growth < math.inf:
        raise BadInput(f"loss_cap must be above 0, and growth at least 1; found {loss_cap} and {growth}")
