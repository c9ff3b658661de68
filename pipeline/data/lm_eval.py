"""Sample logs of EleutherAI's lm-evaluation-harness."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .evaluation_log import Logged
from .logs import lm_eval_log
from .logs.answers import Answers


@dataclass
class LmEval(Logged):
    """The answers of a model to the documents of one or several tasks: files samples_TASK_DATETIME.jsonl.

    Attributes
    ----------
    path : str or None
        One of these files, or a folder of them.
    metric : str or None
        The logged metric that becomes the accuracy; it must be 0 or 1. None: ``acc``, else ``exact_match``, else the
        only metric that is 0 or 1.
    filter : str or None
        The filter to read, such as ``strict-match``, for tasks that have several.
    """

    name: str = "lm_eval"
    metric: str | None = None
    filter: str | None = None

    def read(self) -> Answers:
        """Read the log. The loss of a multiple-choice row is the cross-entropy over its choices."""
        return lm_eval_log.read([Path(str(self.path))], metric=self.metric, filter=self.filter)
