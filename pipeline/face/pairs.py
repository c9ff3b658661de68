"""Two models on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadInput
from ..sampling.units import Units
from ..study.paired.pair import Pair
from .scored_rows import ScoredRows, check_rows


def same_rows(baseline: ScoredRows, candidate: ScoredRows, *, what: str, is_sample: bool = True) -> Pair:
    """Return the scores of two models on the same rows, by the metrics that both have.

    Rows in groups are compared as groups: the baseline's, which the candidate's must be if it has any.

    Parameters
    ----------
    baseline, candidate : ScoredRows
    what : str
        What they are for, for messages.
    is_sample : bool
        As `Pair` has it.

    Raises
    ------
    BadInput
        If they are of other rows or in other groups, have weights, or have no metric in common.
    """
    check_rows(baseline=baseline, candidate=candidate)
    if len(baseline) != len(candidate):
        raise BadInput(
            f"{what} must be of the same rows; found {len(baseline):,} and {len(candidate):,}: give scores of the same "
            "rows in the same order"
        )
    if baseline.units.weights is not None or candidate.units.weights is not None:
        raise BadInput(f"{what} takes rows that count alike; found weights: leave them out")
    _check_labels(baseline, candidate, what)
    asked = {name: metric for name, metric in baseline.asked.items() if name in candidate.asked}
    if not asked:
        raise BadInput(
            f"{what} must have a metric in common; found {', '.join(baseline.asked)} and "
            f"{', '.join(candidate.asked)}: score both by the same"
        )
    truths = (baseline.truth, candidate.truth) if any(name in baseline.together for name in asked) else None
    return Pair(
        baseline.scores,
        candidate.scores,
        asked,
        names_of(baseline, candidate),
        truths=truths,
        units=_units_of(baseline, candidate, what),
        is_sample=is_sample,
    )


def _check_labels(baseline: ScoredRows, candidate: ScoredRows, what: str) -> None:
    ours, theirs = (_labels(each) for each in (baseline, candidate))
    if ours is None or theirs is None:
        return
    bad = np.flatnonzero(ours != theirs)
    if len(bad):
        raise BadInput(
            f"{what} must be of the same rows; found other labels in {len(bad):,} of them, first "
            f"{', '.join(f'row {row}' for row in bad[:3])}: bring both into the same order"
        )


def _units_of(baseline: ScoredRows, candidate: ScoredRows, what: str) -> Units:
    ours, theirs = baseline.rows.groups, candidate.rows.groups
    if theirs is not None and (ours is None or not _are_alike(ours, theirs)):
        raise BadInput(
            f"{what} takes the groups of the first scores; found {'none there' if ours is None else 'others'} in the "
            "second: give both the same group, or the first alone"
        )
    return baseline.units


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two columns of group numbers put the same rows together."""
    pairs = len(np.unique(np.stack([one, other]), axis=1).T)
    return bool(pairs == len(np.unique(one)) == len(np.unique(other)))


def _labels(rows: ScoredRows) -> Any:
    labels, names = rows.rows.labels, rows.rows.class_names
    return labels if names is None or labels is None else np.array(names, dtype=object)[labels]


def names_of(baseline: ScoredRows, candidate: ScoredRows) -> tuple[str, str]:
    """What two models are called; such as are called alike are told apart by their part."""
    names = baseline.name, candidate.name
    return names if names[0] != names[1] else ("baseline", "candidate")
