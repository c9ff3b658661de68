"""Logs of the UK AI Security Institute's Inspect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.data.logged import Logged
from pipeline.logs import inspect
from pipeline.logs.answers import Answers


@dataclass
class Inspect(Logged):
    """Whether a model answered each sample rightly; ``data.group=id`` draws the epochs of a sample together.

    Attributes
    ----------
    path : str or None
        The log, ``.eval`` or ``.json``.
    scorer : str or None
        Says whether an answer is right; None: the only one.
    """

    name: str = "inspect"
    scorer: str | None = None

    def read(self) -> Answers:
        """Read the log; it has no loss."""
        return inspect.read(Path(str(self.path)), scorer=self.scorer)
