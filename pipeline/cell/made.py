"""How a result was made, in the facts that its page ends with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from ..report.page import Fact
from ..report.words import counted, level

_DIGITS_OF_COMMIT = 8
_MOST_VALUES = 12


@dataclass(frozen=True)
class Made:
    """How a result was made.

    Attributes
    ----------
    params : mapping of str to str
        The flattened configuration; of a sweep what all of its cells share.
    datasets : sequence of (str, str)
        Names and digests of the data.
    size : int or None
        N, in rows; None where the cells of a sweep differ in it.
    environment : mapping of str to str
        As `environment.describe` has it.
    started : float
        Seconds since the epoch.
    command : str
        The command that repeats it; empty where it is not known.
    swept : mapping of str to sequence of str
        The keys of a sweep that vary, and their values.
    has_design : bool
        Whether rows were drawn by the sampling design that is configured.
    """

    params: Mapping[str, str]
    datasets: Sequence[tuple[str, str]]
    size: int | None
    environment: Mapping[str, str]
    started: float
    command: str
    swept: Mapping[str, Sequence[str]]
    has_design: bool = True

    def facts(self) -> list[Fact]:
        """Return what is known, in the order in which it is read."""
        known = self.params
        found = [Fact("study", known.get("study.name", ""))]
        found += [Fact(f"swept: {key}", _some(values)) for key, values in self.swept.items()]
        found += [
            Fact("data", ", ".join(name for name, _ in self.datasets)),
            Fact("digest of the data", ", ".join(digest for _, digest in self.datasets), is_code=True),
            Fact("rows", "" if self.size is None else f"{self.size:,}"),
            Fact("model", _model(known)),
            Fact("sampling design", known.get("sampling.name", "").replace("_", " ") if self.has_design else ""),
            Fact("confidence", f"{level(float(known['confidence']))} %" if "confidence" in known else ""),
            Fact("seed", known.get("seed", "")),
            Fact("date", when(self.started)),
            Fact("versions", _versions(self.environment)),
            Fact("to repeat it", self.command, is_code=True),
        ]
        return [fact for fact in found if fact.value]


def when(started: float) -> str:
    """Write a time, in seconds since the epoch, so that it is the same everywhere."""
    return datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _some(values: Sequence[str]) -> str:
    if len(values) <= _MOST_VALUES:
        return ", ".join(values)
    return f"{', '.join(values[: _MOST_VALUES - 1])}, … {values[-1]} ({counted(len(values), 'value')})"


def _model(params: Mapping[str, str]) -> str:
    name = params.get("model.name", "")
    if name == "given":
        return "none was called: the data are its predictions"
    # The last part says which file it is; the folders are those of one machine.
    path = params.get("model.path", "")
    return f"{name} ({PurePosixPath(path).name})" if path not in ("", "null") else name


def _versions(environment: Mapping[str, str]) -> str:
    commit = environment.get("commit", "")[:_DIGITS_OF_COMMIT]
    changed = " with uncommitted changes" if environment.get("uncommitted") else ""
    own = environment.get("package.batchscope", "")
    names = {
        "Batchscope": " ".join(filter(None, [own, f"(commit {commit}{changed})" if commit else ""])),
        "Python": environment.get("python", ""),
        "NumPy": environment.get("package.numpy", ""),
        "MLflow": environment.get("package.mlflow", ""),
    }
    return ", ".join(f"{name} {version}" for name, version in names.items() if version)
