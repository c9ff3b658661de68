"""Logs of the UK AI Security Institute's Inspect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .evaluation_log import Logged
from .logs import inspect_log
from .logs.answers import Answers


@dataclass
class Inspect(Logged):
    """Whether a model answered each sample correctly. With ``data.group=id`` all epochs of a sample are drawn together.

    Attributes
    ----------
    path : str or None
        The log file, ``.eval`` or ``.json``.
    scorer : str or None
        The scorer whose value becomes the accuracy. None: the only scorer of the log.
    """

    name: str = "inspect"
    scorer: str | None = None

    def read(self) -> Answers:
        """Read the log; these logs record no loss."""
        return inspect_log.read(Path(str(self.path)), scorer=self.scorer)
