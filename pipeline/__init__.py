"""Batchscope: how far one mini-batch can be trusted, and whether the loss or the accuracy sees a change first.

Its functions for Python (`docs/python.md`) are imported when they are asked for, so that the command line starts
without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Each in the module that is named beside it.
_FACE = {
    "scores": "face.scores",
    "estimate": "face.estimate",
    "compare": "face.compare",
    "gate": "face.gate",
    "plan": "face.plan",
    "sweep": "face.sweep",
    "until": "face.until",
    "log": "commands.log",
    "ScoredRows": "face.scored_rows",
    "Estimates": "face.estimate",
    "Comparison": "face.compare",
    "Verdict": "face.gate",
    "SizePlan": "face.plan",
    "Sweep": "face.sweep",
    "Stopped": "face.until",
    "BadInput": "errors",
}

__all__ = [*_FACE]


def __getattr__(name: str) -> Any:
    """Return a function or class of the face  [PEP 562]."""
    if name not in _FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f".{_FACE[name]}", __name__), name)
    # The next time it is there without this function.
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names of the face, and those of the module."""
    return sorted({*globals(), *_FACE})
