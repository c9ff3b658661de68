"""`compare`: by how much two models differ on the same rows, and how many rows show it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput
from ..estimation import paired
from ..estimation.multiple_tests import holm
from ..metric.base import Metric
from ..report import compare as words
from ..report import compare_power as power_words
from ..report.result import Table
from ..report.words import as_count, counted, rounded
from ..sampling.units import units_of
from ..study.paired.compared import Compared, compared, metrics_of
from ..study.paired.pair import Pair
from .answer import Answer, logged, words_of
from .checks import check_share
from .pairs import same_rows
from .request import requested
from .scored_rows import ScoredRows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What rests on the difference found; tables and sentences write two digits of it.
_ESTIMATED = ("/n_for_power", "/n_for_power_unpaired")
# No slice has this name.
_ALL = "\0"


@dataclass(frozen=True)
class Change:
    """What n rows say of one metric, candidate minus baseline.

    Attributes
    ----------
    difference, low, high : float
        The mean of the paired differences, and its interval for the world that the rows are a sample of.
    p, p_holm : float
        Two-sided, of no difference; and the same adjusted by Holm: of all rows over the metrics, of a slice over all
        slices and metrics.
    n_for_power, n_for_power_unpaired : int or float
        Rows at which a paired test sees this difference, and rows of each of two separate samples.
    gained, lost : int or None
        Of a share: the rows that the candidate alone gets right, and those that the baseline alone does.
    p_flips : float or None
        Of groups: the p value of no difference by flipping their signs, which needs no normal mean.
    """

    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    n_for_power: float
    n_for_power_unpaired: float
    gained: int | None = None
    lost: int | None = None
    p_flips: float | None = None


@dataclass(frozen=True, repr=False)
class Comparison(Answer):
    """By how much two models differ on the same rows; made by `compare`.

    Attributes
    ----------
    metrics : mapping of str to Change
        By metric; ``comparison.loss.difference``.
    baseline, candidate : str
        What the two are called.
    n_rows : int
    confidence, power, significance : float
    n_tests : int
        Over how many tests the p values are adjusted.
    slices : mapping of str to Comparison
        The same of each slice alone, where the baseline's rows have slices; p values are adjusted over all slices.
    n_groups : int or None
        The groups that count, where rows belong together.
    without : mapping of str to str
        Why a metric of all rows together has no value on these rows, by its name.
    """

    metrics: Mapping[str, Change]
    baseline: str
    candidate: str
    n_rows: int
    confidence: float
    power: float
    significance: float
    n_tests: int
    slices: Mapping[str, Comparison] = field(default_factory=dict)
    n_groups: int | None = None
    without: Mapping[str, str] = field(default_factory=dict)
    _found: Mapping[str, float] = field(default_factory=dict, repr=False)
    _known: Mapping[str, Metric] = field(default_factory=dict, repr=False)
    _request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        adjusted = {name: own.p_holm for name, own in self.metrics.items()}
        with words_of(self._known):
            told = words.answer([self._row()], [adjusted], self.significance, n_tests=self.n_tests)
        # Of one row, or of infinite losses, no difference can be told.
        return told or self.summary

    @property
    def summary(self) -> str:
        """How many rows would show the differences."""
        with words_of(self._known):
            return power_words.conclusion(self._row(), self.power, self.significance)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and texts, those of the slices too."""
        slices = {name: own.to_dict() for name, own in self.slices.items()}
        return {**super().to_dict(), **({"slices": slices} if slices else {})}

    def plot(self) -> Figure:
        """Draw the differences with their intervals, a line for all rows and one for each slice.

        Raises
        ------
        BadInput
            If no metric differs in any row.
        """
        import pandas as pd

        from ..plots import difference

        with words_of(self._known):
            title = f"{self.candidate} minus {self.baseline}, by slice" if self.slices else ""
            drawn = difference.draw(
                pd.DataFrame(self._rows()), power=self.power, significance=self.significance, title=title
            )
        if drawn is None:
            raise BadInput("a picture must have a difference to show; found none in any row: compare other models")
        return drawn

    def _rows(self) -> list[dict[str, Any]]:
        """All rows, and each slice below."""
        label = "all rows" if self.slices else self.candidate
        slices = ({**own._row(), "label": name} for name, own in self.slices.items())
        return [{**self._row(), "label": label}, *slices]

    def _row(self) -> dict[str, Any]:
        return {
            "label": self.candidate,
            "population": self.baseline,
            "population_size": self.n_rows,
            "confidence": self.confidence,
            **rounded(dict(self._found), _ESTIMATED),
        }

    def _records(self) -> list[dict[str, Any]]:
        found = [{"metric": name, **asdict(own)} for name, own in self.metrics.items()]
        if not self.slices:
            return found
        led = [{"slice": None, **row} for row in found]
        return led + [{"slice": name, **row} for name, own in self.slices.items() for row in own._records()]

    def _tables(self) -> list[Table]:
        title = f"{self.candidate} minus {self.baseline}, {counted(self.n_rows, 'row')}"
        with words_of(self._known):
            return words.tables(self._rows(), title, label="slice" if self.slices else "candidate")


def compare(
    baseline: ScoredRows,
    candidate: ScoredRows,
    *,
    confidence: float = 0.95,
    power: float = 0.8,
    significance: float = 0.05,
    log: bool = False,
) -> Comparison:
    """Compare two models row by row, by every metric that both have: candidate minus baseline.

    Of means the interval and the test are Student's on the differences; of shares they are Tango's score interval and
    McNemar's exact test; of metrics of all rows together Student's on the differences of the rows' influences (of an
    AUC, DeLong's variance). Rows in groups are compared as groups.

    Parameters
    ----------
    baseline, candidate : ScoredRows
        Of the same rows, in the same order. Slices and groups are the baseline's.
    confidence : float
        Of the intervals, in (0, 1).
    power, significance : float
        Of the test whose number of rows is asked for, in (0, 1).
    log : bool
        Whether the result is put into MLflow, as `bs.log` does.

    Returns
    -------
    Comparison

    Raises
    ------
    BadInput
        If the two are of other rows or groups, have no metric in common, or have weights.

    Examples
    --------
    >>> import pipeline as bs
    >>> old = bs.scores(loss=[0.5, 0.75, 1.0, 0.25], correct=[True, False, False, True], name="old")
    >>> new = bs.scores(loss=[0.25, 0.5, 0.5, 0.25], correct=[True, True, False, True], name="new")
    >>> found = bs.compare(old, new)
    >>> found.loss.difference, found.accuracy.gained, found.accuracy.lost
    (-0.25, 1, 0)
    """
    check_share(confidence=confidence, power=power, significance=significance)
    pair = same_rows(baseline, candidate, what="bs.compare")
    question = paired.Question(confidence, power, significance)
    parts = {_ALL: pair}
    for name in baseline.slices:
        chosen = baseline.rows_of_slice(name)
        parts[name] = pair.take(chosen, units_of(baseline.rows, chosen))
    _refuse_without(pair)
    found = {name: compared(both, question, both.units) for name, both in parts.items()}
    adjusted, n_tests = _adjusted({_ALL: found[_ALL]}, pair.metrics)
    of_slices, n_slice_tests = _adjusted({name: own for name, own in found.items() if name != _ALL}, pair.metrics)
    adjusted |= of_slices
    options = {"study": "compare", "study.power": power, "study.significance": significance, "confidence": confidence}
    if baseline.together:
        options["study.on"] = list(pair.asked)
    request = requested(options, baseline, candidate)

    def made(name: str, slices: Mapping[str, Comparison]) -> Comparison:
        own, both = found[name], parts[name]
        changes = {key: _change(one, adjusted[name][key]) for key, one in own.items()}
        groups = None if both.units is None or both.units.is_simple else both.units.size
        figures = metrics_of(own) | ({} if groups is None else {"groups": float(groups)})
        return Comparison(
            changes,
            *pair.names,
            len(both),
            confidence,
            power,
            significance,
            n_tests if name == _ALL else n_slice_tests,
            slices,
            groups,
            both.without,
            figures,
            pair.metrics,
            request,
        )

    return logged(made(_ALL, {name: made(name, {}) for name in baseline.slices}), log)


def _adjusted(
    found: Mapping[str, Mapping[str, Compared]], metrics: Iterable[str]
) -> tuple[dict[str, dict[str, float]], int]:
    """The p values of some rows' metrics, adjusted by Holm over all of them, and how many tests these are."""
    names = list(metrics)
    p = [[own[metric].difference.p if metric in own else math.nan for metric in names] for own in found.values()]
    adjusted = holm(p).reshape(len(found), len(names)).tolist()
    by_part = {part: dict(zip(names, own, strict=True)) for part, own in zip(found, adjusted, strict=True)}
    return by_part, int(np.isfinite(p).sum())


def _refuse_without(pair: Pair) -> None:
    if not pair.metrics:
        raise BadInput(f"bs.compare must have a metric with a value; found {'; '.join(pair.lacking)}: score by others")


def _change(found: Compared, p_holm: float) -> Change:
    one = found.difference
    gained, lost = found.flipped or (None, None)
    p_holm = p_holm if not math.isnan(one.p) else math.nan
    sizes = as_count(one.n_for_power), as_count(one.n_for_power_unpaired)
    return Change(one.value, one.low, one.high, one.p, p_holm, *sizes, gained, lost, found.p_flips)
