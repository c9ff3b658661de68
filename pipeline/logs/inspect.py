"""Logs of the UK AI Security Institute's Inspect: .eval or .json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import BadInput
from pipeline.logs.answers import Answers, Scalar, columns_of, listed, scalars, shown

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

# Transcripts, which make up nearly all of a log.
NOT_READ = {"messages", "events", "store", "attachments", "output"}
WORDS = ("yes", "true", "no", "false")


def read(path: Path, *, scorer: str | None) -> Answers:
    """Read whether each sample of a finished evaluation was answered rightly.

    Parameters
    ----------
    path : Path
        The log, as Inspect writes it.
    scorer : str or None
        The scorer whose value says so. None: the only one.

    Returns
    -------
    Answers
        A row a sample and epoch, by epoch and then id. `correct` is the score's value as Inspect's ``value_to_float``
        has it: 1 for C, yes, true; 0 for I, N (no answer), no, false. `loss`, `logits` and `labels` are None.
        `columns`: ``id``, ``epoch``, and ``metadata.NAME`` for metadata that is text or numbers; the epochs of one
        sample share their ``id``.

    Raises
    ------
    BadInput
        If inspect_ai is missing, the file is no such log, the evaluation was not finished, a sample failed, was
        invalidated or not scored, a score is neither 0 nor 1, or a scorer must be chosen.

    References
    ----------
    inspect_ai: ``inspect_ai.log.read_eval_log``, ``inspect_ai.scorer.value_to_float``.
    """
    log = _log(path)
    samples = _finished(log, path)
    name = _scorer_of(samples, scorer, path)
    correct = _correct(samples, name, path)
    rows: list[dict[str, Scalar]] = [
        {"id": sample.id, "epoch": sample.epoch, **scalars(sample.metadata, prefix="metadata.")} for sample in samples
    ]
    # Identifiers of both kinds in one log are told apart as text.
    if len({type(row["id"]) for row in rows}) > 1:
        rows = [{**row, "id": str(row["id"])} for row in rows]
    columns, left_out = columns_of(rows)
    planned = log.results.total_samples if log.results else 0
    parts = [
        f"Inspect: {len(samples):,}{f' of {planned:,}' if planned > len(samples) else ''} samples of "
        f"{shown(log.eval.task)} by {shown(log.eval.model)}",
        f"correct: {shown(name)}",
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
        raise BadInput(
            "a log of Inspect needs inspect_ai; found none: pip install 'batchscope[inspect]' (or make setup-extras)"
        ) from error
    try:
        return read_eval_log(path, exclude_fields=NOT_READ)
    # A file that may be anything: zip, JSON and validation errors, among others.
    except Exception as error:
        raise BadInput(
            f"{path} must be a log of Inspect, .eval or .json; found: {shown(error) or type(error).__name__}: check "
            "the file, or write it again with `inspect log convert`"
        ) from error


def _finished(log: EvalLog, path: Path) -> list[EvalSample]:
    """The samples of a log, refused unless all of them count."""
    # As Inspect sorts an .eval; a .json may have been written by anything.
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
                f"{_named(those[0])}): {remedies[what]}"
            )
    return samples


def _named(sample: EvalSample) -> str:
    return f"id {shown(sample.id)}, epoch {sample.epoch}"


def _scorer_of(samples: list[EvalSample], wanted: str | None, path: Path) -> str:
    names = list(dict.fromkeys(name for sample in samples for name in sample.scores or {}))
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None or wanted not in names:
        found = "none chosen" if wanted is None else repr(shown(wanted))
        raise BadInput(f"scorer must be one of {path}'s; found {found}: choose of {listed(names)}")
    return wanted


def _correct(samples: list[EvalSample], name: str, path: Path) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each value is 1; refused unless all are 0 or 1."""
    from inspect_ai.scorer import value_to_float

    to_float = value_to_float()
    values = [(sample.scores or {})[name].value if name in (sample.scores or {}) else None for sample in samples]
    numbers = [math.nan if value is None or not _is_number(value) else to_float(value) for value in values]
    unscored = [i for i, value in enumerate(values) if value is None or value != value]
    if unscored:
        raise BadInput(
            f"every sample of {path} must have a score of {shown(name)}; found {len(unscored):,} of {len(samples):,} "
            f"without (the first: {_named(samples[unscored[0]])}): score them with `inspect score`"
        )
    wrong = [i for i, number in enumerate(numbers) if number not in (0.0, 1.0)]
    if wrong:
        raise BadInput(
            f"every score of {shown(name)} must be 0 or 1 (C or I); found {len(wrong):,} of {len(samples):,} that are "
            f"not (the first: {shown(values[wrong[0]])} of {_named(samples[wrong[0]])}): choose another scorer, or "
            "score again with one that gives no partial credit"
        )
    return np.array(numbers) == 1.0


def _is_number(value: object) -> bool:
    """Whether ``value_to_float`` can read a value: of what it cannot, it makes 0 with a warning."""
    if isinstance(value, Mapping | list | tuple):
        return False
    if not isinstance(value, str) or value in ("C", "I", "P", "N") or value.lower() in WORDS:
        return True
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
