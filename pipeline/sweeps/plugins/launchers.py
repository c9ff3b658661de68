"""The choices of ``hydra/launcher``: defaults for installed launchers, a refusal in place of those that are missing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from ...errors import BadInput
from ...runtime.extras import advice

_RAY = {
    "_target_": f"hydra_plugins.{__package__}.ray.LocalOrClusterRay",
    "ray": {
        "init": {
            # A new cluster, even where another one runs already; its address, or `auto`, chooses that one.
            "address": "local",
            # A worker a core.
            "num_cpus": None,
            # The dashboard is a web server without a login.
            "include_dashboard": False,
            # The sweep itself reports what became of a cell.
            "log_to_driver": False,
            "logging_level": "error",
        },
        # Cores for each cell.
        "remote": {"num_cpus": 1},
    },
}
_SUBMITIT = {"defaults": ["submitit_slurm", "_self_"], "name": "batchscope"}
# The extra that brings them, the names, and the settings that replace the plug-in's own.
_EXTRAS: list[tuple[str, list[str], dict[str, Any]]] = [
    ("joblib", ["joblib"], {}),
    ("submitit", ["submitit", "submitit_slurm", "submitit_local"], {"submitit": _SUBMITIT}),
    ("ray", ["ray"], {"ray": _RAY}),
]


def store() -> None:
    """Store the choices of ``hydra/launcher``; they replace those that the plug-ins stored when Hydra imported them."""
    configurations = ConfigStore.instance()
    for extra, names, own in _EXTRAS:
        is_there = is_installed(extra)
        missing = {"_target_": f"hydra_plugins.{__name__}.Missing", "extra": extra}
        for name, node in own.items() if is_there else dict.fromkeys(names, missing).items():
            if name == "submitit" and is_there and shutil.which("srun") is None:
                node = {**node, "_target_": f"hydra_plugins.{__name__}.NoSlurm"}
            configurations.store(group="hydra/launcher", name=name, node=node, provider="batchscope")


def is_installed(extra: str) -> bool:
    """Whether Hydra found the plug-in package that an extra brings."""
    package = f"hydra_plugins.hydra_{extra}_launcher."
    return any(name.startswith(package) for name in Plugins.instance().class_name_to_class)


class Missing(Launcher):
    """Takes the place of a launcher that cannot work here, and refuses the sweep.

    Parameters
    ----------
    extra : str
        The extra of this package that brings the launcher.
    """

    def __init__(self, extra: str = "", **_: Any) -> None:
        self._extra = extra

    def _why(self) -> str:
        return f"an installed one; the package of {self._extra}'s is not there: {advice(self._extra)}"

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Refuse.

        Raises
        ------
        BadInput
            Always; it says what to install.
        """
        raise BadInput(f"hydra/launcher must be {self._why()}")

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Unreachable, because `setup` refuses."""
        raise NotImplementedError


class NoSlurm(Missing):
    """Takes the place of Slurm's launcher where Slurm is not installed."""

    def _why(self) -> str:
        return (
            "one that works here; submitit hands cells to Slurm, whose srun was not found: start the sweep on a node "
            "of the cluster, or take hydra/launcher=joblib"
        )
