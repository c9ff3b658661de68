"""A program that is asked for labels in place of a person."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, Failed, brief
from .sheet import EMPTY, Sheet


def labels_from(command: str, place: Path, sheet: Sheet) -> NDArray[np.int64]:
    """Start a program for a sheet, and return the labels that it prints.

    Parameters
    ----------
    command : str
        As in a shell, but started without one. It is given the sheet's path as its last argument and the sheet on
        standard input, and prints CSV with the ids and the column ``label``.
    place : Path
        The sheet.
    sheet : Sheet
        What is in it.

    Raises
    ------
    BadInput
        If the program cannot be started, or prints no such CSV.
    Failed
        If it ends with another status than 0, or leaves a label out.
    """
    said = f"study.labels={brief(command, most=60)}"
    kept = f"the rows asked for are in {place}, and earlier labels are kept"
    try:
        done = subprocess.run(
            [*shlex.split(command), str(place)], input=sheet.text().encode(), capture_output=True, check=False
        )
    except (OSError, ValueError) as error:
        raise BadInput(f"{said} must be a program that can be started; found: {brief(error)}: check it") from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Failed(f"{said} ended with status {done.returncode} ({brief(last) or 'nothing said'}); {kept}")
    try:
        text = done.stdout.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{said} must print CSV in UTF-8; found {brief(error)}: mend the program") from error
    labels = sheet.labels(text, where=f"the output of {said}")
    empty = int((labels == EMPTY).sum())
    if empty:
        raise Failed(f"{said} left {empty:,} of {len(labels):,} labels out; {kept}")
    return labels
