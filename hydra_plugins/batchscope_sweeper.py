"""Where Hydra looks for sweepers, and nowhere else: the sweep itself is `pipeline.sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class CellsSweeper(Sweeper):
    """Launch the cells of a sweep that are not finished yet.

    Parameters
    ----------
    max_batch_size : int or None
        How many cells are handed to the launcher at a time; None is all.
    params : dict of str to str or None
        Sweeps by key; those on the command line win, and take the place of what the study says (`Study.replaced`).
    """

    def __init__(self, max_batch_size: int | None = None, params: dict[str, str] | None = None) -> None:
        self._most, self._params = max_batch_size, params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what `sweep` needs; a launcher that cannot work here is refused before anything is written."""
        self._context, self._config = hydra_context, config
        self._launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the sweep; `arguments` are the overrides of the command line."""
        from pipeline import study, sweep

        given = {argument.lstrip("+").partition("=")[0] for argument in arguments}
        replaced = study.MEMBERS[self._config.study.name].replaced
        gone = {name for key, names in replaced.items() if key in given for name in names}
        lines = [f"{key}={value}" for key, value in self._params.items() if key not in gone] + arguments
        sweep.run(self._config, self._context.config_loader, lines, self._launch)

    def _launch(self, cells: list[list[str]], first: int) -> None:
        most = self._most or len(cells)
        for start in range(0, len(cells), most):
            returns = self._launcher.launch(cells[start : start + most], initial_job_idx=first + start)
            for job in returns:
                # A cell that failed has told so; what is raised here kept a job from being a cell at all.
                _ = job.return_value
        _remove_jobs(Path(str(self._config.hydra.sweep.dir)))


def _remove_jobs(folder: Path) -> None:
    # Submitit keeps every job pickled, whole configuration and secrets included.
    for path in folder.glob(".submitit/*/*.pkl"):
        path.unlink(missing_ok=True)
