"""The Hydra callback that refuses a wrong request before anything is written."""

from __future__ import annotations

from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from .. import config
from ..config.messages import or_exit


class Check(Callback):
    """Refuse a wrong request before Hydra makes a folder for the run."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Check a single cell."""
        or_exit(lambda: _prepare(config))


def _prepare(composed: DictConfig) -> None:
    config.to_experiment(composed).prepare()
