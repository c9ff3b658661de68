"""Several other models at once: the files that a list or a pattern names, and all models' values of the same rows."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.formats.locations import is_remote, path_of
from ...errors import BadInput, brief
from ...experiment import Stages
from ...metric.base import Metric
from ...runtime import files

if TYPE_CHECKING:
    from .against import Against

MOST = 200


def are_many(against: Any) -> bool:
    """Tell whether `against` names several models: a list, or a pattern such as ``runs/*.parquet``."""
    if isinstance(against, str):
        return glob.has_magic(against) and not is_remote(against) and not Path(against).exists()
    return isinstance(against, list | tuple)


def listed(against: str | Sequence[str]) -> list[str]:
    """Return the files that a list of files and patterns names, absolute, each once.

    Raises
    ------
    BadInput
        If it names none, or a thing that is no file.
    """
    found: dict[str, None] = {}
    for own in [against] if isinstance(against, str) else against:
        if not isinstance(own, str) or not own:
            raise BadInput(f"study.against must be a list of files; found {brief(own)!r} in it: give paths")
        if not are_many(own):
            found[own if is_remote(own) else files.absolute(own)] = None
            continue
        matching = sorted(path for path in glob.glob(files.absolute(own), recursive=True) if Path(path).name[0] != ".")
        if not matching:
            raise BadInput(f"study.against must name files; found none for the pattern {own!r}: check the path")
        found |= dict.fromkeys(matching)
    if not 1 <= len(found) <= MOST:
        raise BadInput(f"study.against must name 1 to {MOST} models; found {len(found):,}: name fewer")
    return list(found)


@dataclass(frozen=True, eq=False)
class Field:
    """Several models on the same rows.

    Attributes
    ----------
    names : tuple of str
        Of the K models, the one in ``data.path`` or ``model`` first.
    metrics : dict of str to Metric
        Those that all of them have.
    values : dict of str to ndarray, shape (K, N)
        By metric; booleans of a share.
    lacking : list of str
        What is left out, and why.
    paths : list of str
        Of the others.
    slacks : dict of str to list of (float, float)
        By metric that may be biased: `Pair.slack` of each of the others beside the first.
    """

    names: tuple[str, ...]
    metrics: dict[str, Metric]
    values: dict[str, NDArray[Any]]
    lacking: list[str]
    paths: list[str]
    slacks: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


def field_of(study: Against, stages: Stages) -> Field:
    """Score all rows under the model and all others; a file that is the model's own counts once.

    Raises
    ------
    BadInput
        If one cannot be had, is of other rows, or they have no metric in common.
    """
    own = getattr(stages.experiment.data, "path", None) if stages.are_predictions else None
    paths = [path for path in listed(study.against) if own is None or path != own]
    if not paths:
        raise BadInput("study.against must name other models than data.path; found that file alone: name another")
    pairs = [replace(study, against=path).pair(stages) for path in paths]
    metrics = {name: each for name, each in pairs[0].metrics.items() if all(name in pair.metrics for pair in pairs)}
    lacking = list(dict.fromkeys(said for pair in pairs for said in pair.lacking))
    slacks = {name: [pair.slack(name) for pair in pairs] for name, each in metrics.items() if each.is_together}
    values: dict[str, NDArray[Any]] = {}
    for name in metrics:
        stacked = np.stack([pairs[0].columns(name)[0], *(pair.columns(name)[1] for pair in pairs)])
        if np.isfinite(stacked).all():
            values[name] = stacked
        else:
            lacking.append(f"no {metrics[name].words}: of some row it is infinite under a model")
    if not values:
        raise BadInput(f"study.against must have a metric in common with the model; found {'; '.join(lacking)}")
    names = _named([pairs[0].names[0], *paths])
    return Field(names, {name: metrics[name] for name in values}, values, lacking, paths, slacks)


def _named(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the names of files, with their folders where names alone are not enough."""
    names = [Path(path_of(path)).name for path in paths]
    return tuple(
        name if names.count(name) == 1 else "/".join(Path(path_of(path)).parts[-2:])
        for name, path in zip(names, paths, strict=True)
    )
