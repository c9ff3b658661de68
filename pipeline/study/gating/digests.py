"""The digests of what a gate compared, by which a verdict can be traced to its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...data.base import Data
from ...experiment import Stages
from ...records.rows import Population
from ...runtime import files
from ..paired.against import Against
from ..paired.other_file import population_of
from ..paired.pair import Pair


def digests_of(study: Against, stages: Stages) -> tuple[str, str]:
    """Return the digests of baseline and candidate: of files of predictions the SHA-256, of models that of the weights.

    Parameters
    ----------
    study : Against
        Knows the candidate.
    stages : Stages
        The baseline.
    """
    if not stages.are_predictions:
        return stages.classifier.digest, study.other(stages)[0].digest
    other = study.other_data(stages)
    return _of_data(stages.experiment.data, stages.rows), _of_data(other, population_of(other))


def same_content(study: Against, digests: tuple[str, str], pair: Pair | None, *, are_files: bool) -> list[str]:
    """Say that baseline and candidate are the same, if they are: then a verdict says nothing of another model.

    Parameters
    ----------
    study : Against
        Knows whether the two are other columns of one file.
    digests : (str, str)
        Of baseline and candidate.
    pair : Pair or None
        Their scores; None where not all rows were scored.
    are_files : bool
        Whether they are files of predictions.
    """
    both = "files" if are_files else "models"
    if digests[0] == digests[1] and not study.against_columns:
        return [f"Both {both} have the same content: nothing to compare; check the paths"]
    means = {} if pair is None else {name: own for name, own in pair.metrics.items() if not own.is_share}
    for name, metric in means.items():
        if not metric.is_together and np.array_equal(*pair.columns(name)):  # type: ignore[union-attr]
            return [f"Both {both} give every row the same {metric.row_words}: nothing to compare; check the paths"]
    return []


def _of_data(data: Data, rows: Population) -> str:
    """The SHA-256 of a single file; of a folder or an object store the digest that the program knows it by."""
    path: Any = getattr(data, "path", None)
    return files.file_digest(Path(path)) if path and Path(str(path)).is_file() else rows.digest
