"""A command line that begins with a file: what it asks for, guessed from the file's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import BadInput, brief

# What a name must end in to be taken for a file that was mistyped, rather than for a command.
_LOOKS_LIKE_A_FILE = re.compile(r"://|[/\\]|\.\w{2,8}(\.gz)?$")


def is_meant(word: str) -> bool:
    """Return whether a word of the command line is meant as a file, a folder or an address."""
    if not word or word[0] in "-+~" or re.match(r"[\w./@]+=", word):
        return False
    return bool(_LOOKS_LIKE_A_FILE.search(word)) or _is_there(word)


def _is_there(path: str | Path) -> bool:
    try:
        return Path(path).exists()
    except OSError:
        # Such as a name that is too long for the file system.
        return False


def overrides_of(word: str) -> list[str]:
    """Return the overrides that evaluate the file: a log of Inspect or of lm_eval by its name, else predictions.

    Raises
    ------
    BadInput
        If there is no such file.

    Examples
    --------
    >>> overrides_of("s3://bucket/predictions of May.parquet")
    ['data=predictions', "data.path='s3://bucket/predictions of May.parquet'"]
    """
    path = Path(word).expanduser()
    if "://" not in word and not _is_there(path):
        raise BadInput(f"a file must exist; found none at {brief(word)}: check the path, or name a command (--help)")
    name = word.rstrip("/").rpartition("/")[2]
    is_lm_eval = name.startswith("samples_") and name.endswith((".jsonl", ".jsonl.gz"))
    data = "inspect" if name.endswith(".eval") else "lm_eval" if is_lm_eval else "predictions"
    shown = str(path) if "://" not in word else word
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", shown)
    return [f"data={data}", f"data.path='{escaped}'"]


def with_files(line: Sequence[str]) -> list[str]:
    """Return the arguments of a command line that begins with one file, or with two to be compared.

    Examples
    --------
    >>> with_files(["s3://b/old.csv", "s3://b/new.csv", "seed=1"])
    ['data=predictions', "data.path='s3://b/old.csv'", "study.against='s3://b/new.csv'", 'seed=1']
    """
    first, *rest = line
    found = overrides_of(first)
    if rest and is_meant(rest[0]):
        second = overrides_of(rest[0])[1].removeprefix("data.path=")
        return [*found, f"study.against={second}", *rest[1:]]
    return [*found, *rest]
