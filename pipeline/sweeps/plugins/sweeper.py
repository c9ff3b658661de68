"""Hydra's side of a sweep: reads the command line and hands cells to the launcher; `run` does the rest."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from ... import study
from ...experiment import Study
from ..composition import SharedCompositions
from ..run import run
from .workers import undisturbed

_BASIC_AT_A_TIME = 10


class CellsSweeper(Sweeper):
    """Launch the cells of a sweep that are not finished yet.

    Parameters
    ----------
    max_batch_size : int or None
        How many cells are handed to the launcher at a time; None is all.
    params : dict of str to str or None
        Sweeps by key. Those on the command line win, and replace the keys that the study names (`Study.replaced`).
    """

    def __init__(self, max_batch_size: int | None = None, params: dict[str, str] | None = None) -> None:
        self._most, self._params = max_batch_size, params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what `sweep` needs; a launcher that cannot work here is refused now, before anything is written."""
        self._context, self._config = hydra_context, config
        self._launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        if _is_basic(self._launcher):
            shared: Any = SharedCompositions(hydra_context.config_loader)
            own = HydraContext(config_loader=shared, callbacks=hydra_context.callbacks)
            self._launcher.setup(hydra_context=own, task_function=task_function, config=config)

    def sweep(self, arguments: list[str]) -> Any:
        """Run the sweep; `arguments` are the overrides of the command line."""
        # The program started without it. What the start has made stays, and is not looked through again.
        gc.freeze()
        gc.enable()
        # A group such as +study/against fills the key of that name.
        given = {argument.lstrip("+").partition("=")[0].replace("/", ".") for argument in arguments}
        question: type[Study] = study.MEMBERS[self._config.study.name]
        gone = {name for key, names in question.replaced.items() if key in given for name in names}
        lines = [f"{key}={value}" for key, value in self._params.items() if key not in gone] + arguments
        _quiet_trackers()
        run(self._config, self._context.config_loader, lines, self._launch)

    def _launch(self, cells: list[list[str]], first: int) -> None:
        # What Hydra returns of a job has its whole configuration. One process needs no other cells to go on with.
        most = self._most or (_BASIC_AT_A_TIME if _is_basic(self._launcher) else len(cells))
        for start in range(0, len(cells), most):
            with undisturbed(self._launcher):
                returns = self._launcher.launch(cells[start : start + most], initial_job_idx=first + start)
            for job in returns:
                # A cell that failed reports that itself. What is raised here kept a job from running at all.
                _ = job.return_value
            # Configurations point to themselves, so thousands of cells would leave them until Python looks for garbage.
            returns, job = (), None
            gc.collect()
            if start == 0:
                # What the first cells have imported and made stays, and is not looked through again.
                gc.freeze()
        _remove_jobs(Path(str(self._config.hydra.sweep.dir)))


def _is_basic(launcher: Launcher) -> bool:
    """Whether the cells run in this process, one after the other."""
    # Imported late: when Hydra looks for plug-ins it executes this module anew, and an earlier class is another one.
    from hydra._internal.core_plugins.basic_launcher import BasicLauncher

    return isinstance(launcher, BasicLauncher)


def _quiet_trackers() -> None:
    """Have the processes that remove the semaphores of killed workers do so without a warning."""
    own = "ignore:resource_tracker:UserWarning"
    given = os.environ.get("PYTHONWARNINGS", "")
    if own not in given:
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [given, own]))


def _remove_jobs(folder: Path) -> None:
    # Submitit keeps every job pickled, with the whole configuration and its secrets.
    for path in folder.glob(".submitit/*/*.pkl"):
        path.unlink(missing_ok=True)
