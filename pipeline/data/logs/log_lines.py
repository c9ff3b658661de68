"""Find the files samples_TASK_DATETIME.jsonl of lm-evaluation-harness, and read their lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...errors import BadInput, brief
from ..formats.json_lines import KeyTwice, each_key_once

# In memory, JSON takes up to 25 times as much.
MOST_OF_A_LINE = 1 << 24
NAME = re.compile(r"samples_(?P<task>.+)_\d{4}-\d\d-\d\dT[\d.-]+")


def files_by_task(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the file of each task. Folders are searched with all their subfolders.

    Raises
    ------
    BadInput
        If there is no such file, or two files have the same task.
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
    """Yield the line number, from 1, and the JSON object of each line of a file; blank lines are skipped.

    Raises
    ------
    BadInput
        If a line is not a JSON object, or is incomplete.
    """
    # Read as bytes, because in text mode a lone carriage return would end a line too.
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_OF_A_LINE + 1), b""), 1):
            if not line.strip():
                continue
            if len(line) > MOST_OF_A_LINE:
                raise BadInput(
                    f"line {number} of {path} must take at most {MOST_OF_A_LINE:,} bytes; found more: log without what "
                    "the documents hold besides text"
                )
            try:
                record = json.loads(line, object_pairs_hook=each_key_once)
            except KeyTwice as twice:
                raise BadInput(
                    f"line {number} of {path} must name each key once; found {brief(twice)!r} twice: log the file again"
                ) from None
            # UnicodeDecodeError and JSONDecodeError are ValueErrors, as is an integer of too many digits.
            except (ValueError, RecursionError) as error:
                start = brief(line[:60].decode("utf-8", "replace"))
                end = "" if line.endswith(b"\n") else ", cut off at the file's end"
                raise BadInput(
                    f"line {number} of {path} must be a JSON object; found {start}{end}: copy or log the file again"
                ) from error
            if not isinstance(record, dict):
                raise BadInput(
                    f"line {number} of {path} must be a JSON object; found {brief(record)}: name a file of "
                    "--log_samples"
                )
            yield number, record
