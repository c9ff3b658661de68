"""What ``hydra/launcher=…`` may be: Hydra looks for plug-ins here, and nowhere else."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

_RAY = {
    "_target_": "hydra_plugins.batchscope_ray.LocalOrClusterRay",
    "ray": {
        "init": {
            # Never a cluster that happens to run here; of one that is meant, its address or `auto`.
            "address": "local",
            # A worker a core.
            "num_cpus": None,
            # A web server without a login.
            "include_dashboard": False,
            # What became of a cell is told by the sweep.
            "log_to_driver": False,
            "logging_level": "error",
        },
        # Cores that a cell is given.
        "remote": {"num_cpus": 1},
    },
}
_SUBMITIT = {"defaults": ["submitit_slurm", "_self_"], "name": "batchscope"}
# The extra that brings them, its plug-in, the names, and what we put in the place of the plug-in's own.
_EXTRAS: list[tuple[str, list[str], dict[str, Any]]] = [
    ("joblib", ["joblib"], {}),
    ("submitit", ["submitit", "submitit_slurm", "submitit_local"], {"submitit": _SUBMITIT}),
    ("ray", ["ray"], {"ray": _RAY}),
]


class Launchers(SearchPathPlugin):
    """Registers the launchers; a plug-in's own of the same name was registered before, when Hydra imported it."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Leave the path as it is; Hydra calls this once it has imported every plug-in."""
        store = ConfigStore.instance()
        for extra, names, own in _EXTRAS:
            is_there = find_spec(f"hydra_plugins.hydra_{extra}_launcher") is not None
            missing = {"_target_": f"{__name__}.Missing", "extra": extra}
            for name, node in own.items() if is_there else dict.fromkeys(names, missing).items():
                if name == "submitit" and is_there and shutil.which("srun") is None:
                    node = {**node, "_target_": f"{__name__}.NoSlurm"}
                store.store(group="hydra/launcher", name=name, node=node, provider="batchscope")


class Missing(Launcher):
    """Stands for a launcher that cannot work here.

    Parameters
    ----------
    extra : str
        The extra of this package that brings it.
    """

    def __init__(self, extra: str = "", **_: Any) -> None:
        self._extra = extra

    def _why(self) -> str:
        install = "make setup-extras" if self._extra == "ray" else f"pip install 'batchscope[{self._extra}]'"
        return f"an installed one; the package of {self._extra}'s is not there: {install}"

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Refuse.

        Raises
        ------
        BadInput
            Always, with what to install.
        """
        from pipeline.errors import BadInput

        raise BadInput(f"hydra/launcher must be {self._why()}")

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Never come to."""
        raise NotImplementedError


class NoSlurm(Missing):
    """Stands for Slurm's launcher where there is no Slurm."""

    def _why(self) -> str:
        return (
            "one that works here; submitit hands cells to Slurm, whose srun was not found: start the sweep on a node "
            "of the cluster, or take hydra/launcher=joblib"
        )
