"""The files samples_TASK_DATETIME.jsonl of lm-evaluation-harness: which there are, and their lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import BadInput
from pipeline.logs.answers import shown

NAME = re.compile(r"samples_(?P<task>.+)_\d{4}-\d\d-\d\dT[\d.-]+")


def files_by_task(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the file of each task, folders searched whole.

    Raises
    ------
    BadInput
        If there is no such file, or a task stands in two.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise BadInput(f"a log of lm-eval must be a file or a folder; found nothing at {path}: check the path")
        files = sorted(path.rglob("samples_*.jsonl")) if path.is_dir() else [path]
        if not files:
            raise BadInput(
                f"{path} must hold files samples_TASK_DATETIME.jsonl; found none: run lm_eval with --log_samples"
            )
        for file in files:
            named = NAME.fullmatch(file.stem)
            task = named["task"] if named else file.stem.removeprefix("samples_")
            if task in found:
                raise BadInput(
                    f"each task must be logged in one file; found {task} in {found[task]} and in {file}: name the "
                    "files of one run of one model"
                )
            found[task] = file
    if not found:
        raise BadInput("a log of lm-eval must be named; found no path: name a file or a folder")
    return found


def records_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the JSON objects of a file one at a time, with their lines' numbers from 1; blank lines are passed over.

    Raises
    ------
    BadInput
        If a line is no JSON object, or cut off.
    """
    # As bytes: text would end lines at more than line feeds.
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            # UnicodeDecodeError and JSONDecodeError are ValueErrors, as is an integer of too many digits.
            except (ValueError, RecursionError) as error:
                start = shown(line[:60].decode("utf-8", "replace"))
                end = "" if line.endswith(b"\n") else ", cut off at the file's end"
                raise BadInput(
                    f"line {number} of {path} must be a JSON object; found {start}{end}: copy or log the file again"
                ) from error
            if not isinstance(record, dict):
                raise BadInput(
                    f"line {number} of {path} must be a JSON object; found {shown(record)}: name a file of "
                    "--log_samples"
                )
            yield number, record
