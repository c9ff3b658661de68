"""Read sample logs of EleutherAI's lm-evaluation-harness: the files samples_TASK_DATETIME.jsonl of --log_samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from .answers import Answers, Scalar, columns_of, listed, right_or_wrong, scalars
from .choices import Choices, choices_of, cross_entropy, labels_of, padded
from .log_lines import files_by_task, records_of

REQUIRED_KEYS = ("doc_id", "doc", "target", "filtered_resps")
# The keys of a line that are not metrics. In older logs, which have no key "metrics", all other keys are metrics.
NON_METRIC_KEYS = {*REQUIRED_KEYS, "arguments", "resps", "filter", "metrics", "doc_hash", "prompt_hash", "target_hash"}
PREFERRED = ("acc", "exact_match")
# The name that lm-evaluation-harness uses for no filter.
NO_FILTER = "none"


@dataclass(frozen=True, slots=True)
class _Sample:
    """One line of a log: the responses to a document under one filter."""

    where: str
    line: int
    doc_id: int | str
    filter: str
    metrics: dict[str, object]
    scalars: dict[str, Scalar]
    choices: Choices | None


def read(paths: Sequence[Path], *, metric: str | None, filter: str | None, with_loss: bool = True) -> Answers:
    """Read the answers of one model to the documents of one or several tasks.

    Rows are sorted by the name of their task and the number of their document.

    Parameters
    ----------
    paths : sequence of Path
        Files samples_TASK_DATETIME.jsonl, or folders, of which all such files are read. Each task must occur once.
    metric : str or None
        The metric, 0 or 1 in every row, that becomes `correct`. None: in each task ``acc``, else ``exact_match``, else
        the only metric that is 0 or 1.
    filter : str or None
        The filter (``strict-match``, …) to read in tasks that have several. In a task with one filter, that is read.
    with_loss : bool
        Whether to determine the labels and compute the loss.

    Returns
    -------
    Answers
        `loss` is the cross-entropy of the softmax over the logged log-likelihoods of the choices, not normalised by
        length. It is None if a row is not multiple choice or has no single correct choice; `note` gives the reason.
        `columns`: ``task``, ``doc_id``, and ``doc.NAME`` for fields of the documents that are text or numbers.

    Raises
    ------
    BadInput
        If a file is missing, empty, incomplete or not such a log, a document is logged twice, there are several metrics
        or filters and none was chosen, or the targets contradict ``acc``.

    References
    ----------
    lm-evaluation-harness: ``EvaluationTracker.save_results_samples``, ``evaluator.evaluate``, and
    ``ConfigurableTask.process_results`` for ``acc``, the argmax of the same log-likelihoods.
    """
    tasks: dict[str, list[_Sample]] = {}
    filters: set[str] = set()
    for task, path in sorted(files_by_task(paths).items()):
        by_filter = _read_task(path)
        filters |= set(by_filter)
        tasks[task] = _of_filter(by_filter, filter, task)
    if filter is not None and filter not in filters:
        raise BadInput(f"filter must be one of the log's; found {brief(filter)!r}: choose of {listed(sorted(filters))}")
    metrics = {task: _metric_of(samples, metric, task) for task, samples in tasks.items()}
    correct = [_is_right(sample, metrics[task]) for task, samples in tasks.items() for sample in samples]
    logits, labels, why = _choices(tasks, with_loss=with_loss)
    rows: list[dict[str, Scalar]] = [
        {"task": task, "doc_id": sample.doc_id, **sample.scalars}
        for task, samples in tasks.items()
        for sample in samples
    ]
    columns, left_out = columns_of(rows)
    return Answers(
        loss=None if logits is None or labels is None else cross_entropy(logits, labels),
        correct=np.array(correct, dtype=np.bool_),
        logits=logits,
        labels=labels,
        columns=columns,
        note=_note(tasks, metrics, why=why, left_out=left_out),
    )


def _read_task(path: Path) -> dict[str, dict[int | str, _Sample]]:
    """Return the samples of a file by filter and document."""
    by_filter: dict[str, dict[int | str, _Sample]] = {}
    for number, record in records_of(path):
        sample = _sample(record, path, number)
        held = by_filter.setdefault(sample.filter, {})
        if (first := held.get(sample.doc_id)) is not None:
            remedy = "log each document once" if "filter" in record else "log again with an lm-eval that names filters"
            raise BadInput(
                f"{sample.where} must not repeat a document under one filter; found doc_id {brief(sample.doc_id)}, "
                f"filter {brief(sample.filter)}, of line {first.line}: {remedy}"
            )
        held[sample.doc_id] = sample
    if not by_filter:
        raise BadInput(f"{path} must hold a line for each document; found an empty file: log the samples again")
    return by_filter


def _sample(record: dict[str, Any], path: Path, number: int) -> _Sample:
    where = f"line {number} of {path}"
    names = record.get("metrics")
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        names = [name for name in record if name not in NON_METRIC_KEYS]
    missing = [name for name in (*REQUIRED_KEYS, *names) if name not in record]
    if missing:
        raise BadInput(
            f"{where} must hold what lm-eval logs; found {listed(list(record))}, without {listed(missing)}: name a "
            "file of --log_samples"
        )
    doc_id = record["doc_id"]
    if not isinstance(doc_id, int | str):
        raise BadInput(f"doc_id in {where} must be a number or text; found {brief(doc_id)}: log the samples again")
    metrics = {name: record[name] for name in names}
    return _Sample(
        where=where,
        line=number,
        doc_id=doc_id,
        filter=str(record.get("filter", NO_FILTER)),
        metrics=metrics,
        scalars=scalars(record["doc"], prefix="doc."),
        choices=choices_of(record, metrics, where=where),
    )


def _of_filter(by_filter: dict[str, dict[int | str, _Sample]], wanted: str | None, task: str) -> list[_Sample]:
    """Return the samples of the configured filter, or of the only filter, sorted by document."""
    if wanted not in by_filter and len(by_filter) > 1:
        raise BadInput(
            f"filter must be one of task {task}'s; found {wanted and repr(brief(wanted))}: choose of "
            f"{listed(list(by_filter))}"
        )
    samples = by_filter[wanted] if wanted in by_filter else next(iter(by_filter.values()))
    return sorted(samples.values(), key=lambda sample: (isinstance(sample.doc_id, str), sample.doc_id))


def _metric_of(samples: list[_Sample], wanted: str | None, task: str) -> str:
    """Return the name of the metric that becomes `correct`."""
    names = list(samples[0].metrics)
    if wanted is not None:
        if wanted not in names:
            raise BadInput(f"metric must be one of task {task}'s; found {brief(wanted)!r}: choose of {listed(names)}")
        return wanted
    for name in PREFERRED:
        if name in names:
            return name
    binary = [name for name in names if all(right_or_wrong(sample.metrics.get(name)) is not None for sample in samples)]
    if len(binary) == 1:
        return binary[0]
    if binary:
        raise BadInput(
            f"metric must be chosen for task {task}; found several that are 0 or 1: {listed(binary)}: name one"
        )
    raise BadInput(
        f"task {task} must have a metric that is 0 or 1 in every row; found {listed(names)}: leave the task out (a "
        "perplexity is no loss of rows)"
    )


def _is_right(sample: _Sample, metric: str) -> bool:
    right = right_or_wrong(sample.metrics.get(metric))
    if right is None:
        found = brief(sample.metrics[metric]) if metric in sample.metrics else "no such metric"
        raise BadInput(
            f"metric {brief(metric)} must be 0 or 1 in every row; found {found} in {sample.where}: choose another of "
            f"{listed(list(sample.metrics))}"
        )
    return right


def _choices(
    tasks: dict[str, list[_Sample]], *, with_loss: bool
) -> tuple[NDArray[np.float64] | None, NDArray[np.int64] | None, str]:
    """Return log-likelihoods and labels of all rows, and the reason if the labels or both are None."""
    rows: list[Choices] = []
    labels: list[int] = []
    why = "" if with_loss else "not asked for"
    for task, samples in tasks.items():
        chosen = [sample.choices for sample in samples if sample.choices is not None]
        if len(chosen) < len(samples):
            return None, None, why or f"task {task} is no multiple choice"
        rows += chosen
        if not why:
            told, reason = labels_of(chosen)
            labels += told
            why = reason and f"{reason} in task {task}"
    return padded(rows), None if why else np.array(labels, dtype=np.int64), why


def _note(tasks: dict[str, list[_Sample]], metrics: dict[str, str], *, why: str, left_out: list[str]) -> str:
    n_rows = sum(len(samples) for samples in tasks.values())
    filters = sorted({samples[0].filter for samples in tasks.values()})
    loss = f"no loss: {why}" if why else "loss: cross-entropy of the softmax over the choices' log-likelihoods"
    parts = [
        f"lm-eval: rows: {n_rows:,}; tasks: {listed(list(tasks))}",
        f"correct: {listed(sorted(set(metrics.values())))}",
        f"filter: {listed(filters)}",
        loss,
    ]
    return "; ".join(parts + ([f"left out: {listed(left_out)}"] if left_out else []))
