"""Hydra's Ray launcher, with a local cluster that nobody else can use and that ends with the sweep."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from ...runtime import files
from ...runtime.signals import kept


class LocalOrClusterRay(Launcher):
    """Run cells as Ray tasks, on a cluster made for the sweep or on one that runs already.

    Parameters
    ----------
    ray : DictConfig
        ``init`` and ``remote`` are the arguments of `ray.init` and `ray.remote`. With ``init.address=local`` a cluster
        is started on this machine, else that of the address is used (``auto``: the one that runs here).
    """

    def __init__(self, ray: DictConfig) -> None:
        self._settings = ray

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make Hydra's own Ray launcher; nothing is started."""
        from hydra_plugins.hydra_ray_launcher.ray_launcher import RayLauncher

        self._launcher = RayLauncher(self._settings)
        self._launcher.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the cells; a local cluster is stopped afterwards, however they end."""
        init: Any = self._settings.init
        if init.address in (None, "local"):
            _make_private()
        else:
            with open_dict(init):
                # Hydra's launcher sets a number, which a cluster that runs already refuses.
                init.setdefault("object_store_memory", None)
                if files.checkout() is None:
                    # Its workers were started elsewhere, and an installed package writes where it was started.
                    init.setdefault("runtime_env", {"env_vars": {"BATCHSCOPE_MLRUNS": str(files.mlruns())}})
        # Ray reads the environment when it is imported.
        import ray

        starting = ray.init

        def start(**named: Any) -> Any:
            with kept():
                return starting(**named)

        ray.init = start
        try:
            return self._launcher.launch(job_overrides, initial_job_idx)
        finally:
            ray.init = starting
            ray.shutdown()


def _make_private() -> None:
    # Ray listens on every address of the machine, so a cluster needs a token. The one that Ray makes by default serves
    # all later clusters too, and lies in a file of the home folder that others may read.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not any(name.startswith("RAY_AUTH_") for name in os.environ):
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
