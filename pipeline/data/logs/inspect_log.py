"""Read logs of the UK AI Security Institute's Inspect, .eval or .json."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import BadInput, brief
from ...runtime import memory
from ...runtime.extras import advice
from ..formats.budget import MOST_EXPANSION
from .answers import Answers, Scalar, columns_of, listed, scalars

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

# The transcripts, which make up most of the size of a log.
SKIPPED_FIELDS = {"messages", "events", "store", "attachments", "output"}
# The memory that reading a log may take, and so many times the size of the file beside it.
_MEMORY, _OF_FILE = 1 << 29, 30
_MOST_OF_AN_ENTRY = 1 << 26
YES_NO_WORDS = ("yes", "true", "no", "false")


def read(path: Path, *, scorer: str | None) -> Answers:
    """Read whether the answer to each sample of a finished evaluation is correct.

    Parameters
    ----------
    path : Path
        The log, as Inspect writes it.
    scorer : str or None
        The scorer whose value becomes `correct`. None: the only scorer of the log.

    Returns
    -------
    Answers
        One row for each sample and epoch, sorted by epoch and then id. `correct` is the value of the score as Inspect's
        ``value_to_float`` reads it: 1 for C, yes, true; 0 for I, N (no answer), no, false. `loss`, `logits` and
        `labels` are None. `columns`: ``id``, which all epochs of a sample share, ``epoch``, and ``metadata.NAME`` for
        metadata that is text or numbers.

    Raises
    ------
    BadInput
        If inspect_ai is not installed, the file is not such a log, the evaluation was not finished, a sample failed,
        was invalidated or not scored, a score is neither 0 nor 1, or there are several scorers and none was chosen.

    References
    ----------
    inspect_ai: ``inspect_ai.log.read_eval_log``, ``inspect_ai.scorer.value_to_float``.
    """
    log = _log(path)
    samples = _checked_samples(log, path)
    name = _scorer_of(samples, scorer, path)
    correct = _correct(samples, name, path)
    rows: list[dict[str, Scalar]] = [
        {"id": sample.id, "epoch": sample.epoch, **scalars(sample.metadata, prefix="metadata.")} for sample in samples
    ]
    # A log may have identifiers of both types; they become text, because a column has one type.
    if len({type(row["id"]) for row in rows}) > 1:
        rows = [{**row, "id": str(row["id"])} for row in rows]
    columns, left_out = columns_of(rows)
    planned = log.results.total_samples if log.results else 0
    parts = [
        f"Inspect: {len(samples):,}{f' of {planned:,}' if planned > len(samples) else ''} samples of "
        f"{brief(log.eval.task)} by {brief(log.eval.model)}",
        f"correct: {brief(name)}",
        "no loss: the log has none",
    ]
    return Answers(
        loss=None,
        correct=correct,
        logits=None,
        labels=None,
        columns=columns,
        note="; ".join(parts + ([f"left out: {listed(left_out)}"] if left_out else [])),
    )


def _log(path: Path) -> EvalLog:
    if not path.is_file():
        raise BadInput(f"a log of Inspect must be a file; found none at {path}: check the path")
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise BadInput(f"a log of Inspect needs inspect_ai; found none: {advice('inspect')}") from error
    _refuse_bombs(path)
    most = _MEMORY + _OF_FILE * path.stat().st_size
    try:
        with memory.limited(most):
            return read_eval_log(path, exclude_fields=SKIPPED_FIELDS)
    # Any exception, because the file may have any content: zip, JSON and validation errors among others.
    except Exception as error:
        if memory.is_shortage(error):
            raise BadInput(
                f"{path} must be read within {most:,} bytes of memory, {_OF_FILE} times its size and more; found that "
                "it unpacks to more: check where it comes from"
            ) from error
        raise BadInput(
            f"{path} must be a log of Inspect, .eval or .json; found: {brief(error) or type(error).__name__}: check "
            "the file, or write it again with `inspect log convert`"
        ) from error


def _refuse_bombs(path: Path) -> None:
    """Refuse an archive that declares an entry of hundreds of times its size: reading it alone would take minutes."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    # Text, or damaged: that is told when it is read.
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return
    for entry in entries:
        if entry.file_size > max(_MOST_OF_AN_ENTRY, MOST_EXPANSION * entry.compress_size):
            raise BadInput(
                f"{brief(entry.filename)} in {path} must unpack to at most {MOST_EXPANSION} times its "
                f"{entry.compress_size:,} bytes; found {entry.file_size:,} declared: check where the log comes from"
            )


def _checked_samples(log: EvalLog, path: Path) -> list[EvalSample]:
    """Return the samples of a log; raise unless the evaluation is finished and every sample is scored once."""
    # The order of an .eval file; a .json file may have any order.
    samples = sorted(log.samples or [], key=lambda sample: (sample.epoch, str(sample.id).zfill(20)))
    planned = log.results.total_samples if log.results else log.eval.dataset.samples
    if log.status != "success":
        raise BadInput(
            f"{path} must be a finished evaluation (status success); found status {log.status}, {len(samples):,} of "
            f"{planned or 0:,} samples logged: finish it with `inspect eval-retry`"
        )
    if not samples:
        raise BadInput(f"{path} must hold its samples; found none: evaluate with --log-samples")
    remedies = {
        "failed": "evaluate them again, with --retry-on-error",
        "were invalidated": "evaluate them again",
        "have no score": "score them with `inspect score`",
        "are logged twice": "write the log again",
    }
    wrong = {
        "failed": [sample for sample in samples if sample.error is not None],
        "were invalidated": [sample for sample in samples if sample.invalidation is not None],
        "have no score": [sample for sample in samples if not sample.scores],
        "are logged twice": [b for a, b in pairwise(samples) if (a.id, a.epoch) == (b.id, b.epoch)],
    }
    for what, those in wrong.items():
        if those:
            raise BadInput(
                f"every sample of {path} must count; found {len(those):,} of {len(samples):,} that {what} (the first: "
                f"{_sample_name(those[0])}): {remedies[what]}"
            )
    return samples


def _sample_name(sample: EvalSample) -> str:
    return f"id {brief(sample.id)}, epoch {sample.epoch}"


def _scorer_of(samples: list[EvalSample], wanted: str | None, path: Path) -> str:
    names = list(dict.fromkeys(name for sample in samples for name in sample.scores or {}))
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None or wanted not in names:
        found = "none chosen" if wanted is None else repr(brief(wanted))
        raise BadInput(f"scorer must be one of {path}'s; found {found}: choose of {listed(names)}")
    return wanted


def _correct(samples: list[EvalSample], name: str, path: Path) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return whether each score is 1; raise unless all scores are 0 or 1."""
    from inspect_ai.scorer import value_to_float

    to_float = value_to_float()
    values = [(sample.scores or {})[name].value if name in (sample.scores or {}) else None for sample in samples]
    numbers = [math.nan if value is None or not _is_number(value) else to_float(value) for value in values]
    unscored = [i for i, value in enumerate(values) if value is None or value != value]
    if unscored:
        raise BadInput(
            f"every sample of {path} must have a score of {brief(name)}; found {len(unscored):,} of {len(samples):,} "
            f"without (the first: {_sample_name(samples[unscored[0]])}): score them with `inspect score`"
        )
    wrong = [i for i, number in enumerate(numbers) if number not in (0.0, 1.0)]
    if wrong:
        raise BadInput(
            f"every score of {brief(name)} must be 0 or 1 (C or I); found {len(wrong):,} of {len(samples):,} that are "
            f"not (the first: {brief(values[wrong[0]])} of {_sample_name(samples[wrong[0]])}): choose another scorer, "
            "or score again with one that gives no partial credit"
        )
    return np.array(numbers) == 1.0


def _is_number(value: object) -> bool:
    """Return whether ``value_to_float`` can read a value; it turns other values into 0 with a warning."""
    if isinstance(value, Mapping | list | tuple):
        return False
    if not isinstance(value, str) or value in ("C", "I", "P", "N") or value.lower() in YES_NO_WORDS:
        return True
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
