"""Sample logs of EleutherAI's lm-evaluation-harness."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.data.logged import Logged
from pipeline.logs import lm_eval
from pipeline.logs.answers import Answers


@dataclass
class LmEval(Logged):
    """What a model answered to the documents of one or several tasks: files samples_TASK_DATETIME.jsonl.

    Attributes
    ----------
    path : str or None
        Such a file, or a folder of them.
    metric : str or None
        Says whether an answer is right; None: ``acc``, else ``exact_match``, else the only one that is 0 or 1.
    filter : str or None
        Of tasks that have several, such as ``strict-match``.
    """

    name: str = "lm_eval"
    metric: str | None = None
    filter: str | None = None

    def read(self) -> Answers:
        """Read the log; of multiple choice, the loss is the cross-entropy over the choices."""
        return lm_eval.read([Path(str(self.path))], metric=self.metric, filter=self.filter)
