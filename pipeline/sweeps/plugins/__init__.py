"""The sweeper and the launchers that this package adds to Hydra, registered when the program starts."""

from __future__ import annotations

from hydra.core.plugins import Plugins

from . import launchers, sweeper
from .mode import mode_from
from .ray import LocalOrClusterRay

__all__ = ["mode_from", "register"]

_CLASSES = (sweeper.CellsSweeper, launchers.Missing, launchers.NoSlurm, LocalOrClusterRay)


def register() -> None:
    """Tell Hydra the sweeper and the launchers; to be called before anything is composed."""
    known = Plugins.instance().class_name_to_class
    for made in _CLASSES:
        # Hydra accepts a sweeper or launcher only by a name in `hydra_plugins`. The package has no folder of that
        # name: two copies of it (a checkout, and one that is installed) would get in each other's way there.
        known[f"hydra_plugins.{made.__module__}.{made.__name__}"] = made
    launchers.store()
