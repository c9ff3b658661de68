"""Cells that differ in plain values share one composition of Hydra's, which takes a tenth of a second."""

from __future__ import annotations

import copy
from functools import lru_cache

from hydra._internal.config_loader_impl import get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

# Of a sweep of thousands of values the newest are remembered.
_MOST_PARSED = 1_000


class OverrideReader:
    """Reads overrides by Hydra's own parser, and knows which of them only set a value."""

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader = loader
        self._groups: dict[str, bool] = {}
        self.parse = lru_cache(_MOST_PARSED)(OverridesParser.create(loader).parse_override)

    def is_plain(self, override: Override) -> bool:
        """Whether an override sets one value, so that it can be set in a configuration that was composed already."""
        if override.is_add() or override.is_force_add() or override.is_delete() or override.package is not None:
            return False
        # A dictionary would be merged into the previous cell's, and another choice of a group brings other keys.
        is_container = isinstance(override.value(), dict | list)
        return not is_container and not self._is_group(override.key_or_group)

    def _is_group(self, key: str) -> bool:
        if key not in self._groups:
            self._groups[key] = any(source.is_group(key) for source in self._loader.get_sources())
        return self._groups[key]


def is_updated(composed: DictConfig, plain: list[Override]) -> bool:
    """Set the values, and return whether all could be set: what is wrong with one, Hydra says when it composes it."""
    try:
        for override in plain:
            OmegaConf.update(composed, override.key_or_group, override.value(), merge=True)
    except OmegaConfBaseException:
        return False
    return True


class SharedCompositions:
    """Stands in for Hydra's loader where one process launches all cells of a sweep.

    Parameters
    ----------
    loader : ConfigLoader
        Hydra's own, which composes whatever cannot be shared.
    """

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader, self._reader = loader, OverrideReader(loader)
        # The last one, and what it shares with others: the plain keys, and the overrides that are not plain.
        self._last: tuple[object, DictConfig] | None = None

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Return what `ConfigLoader.load_sweep_config` returns of the same arguments."""
        parsed = [self._reader.parse(line) for line in sweep_overrides]
        plain = [line for line in parsed if not line.is_hydra_override() and self._reader.is_plain(line)]
        shared = [line.key_or_group if line in plain else line.input_line for line in parsed]
        if self._last is None or self._last[0] != shared:
            self._last = shared, self._loader.load_sweep_config(master_config, sweep_overrides)
        composed = copy.deepcopy(self._last[1])
        OmegaConf.copy_cache(from_config=master_config, to_config=composed)
        if not is_updated(composed, plain):
            return self._loader.load_sweep_config(master_config, sweep_overrides)
        own, naming = (
            [line for line in parsed if not line.is_hydra_override()],
            composed.hydra.job.config.override_dirname,
        )
        composed.hydra.overrides.task = [line.input_line for line in own]
        composed.hydra.job.override_dirname = get_overrides_dirname(
            overrides=own, kv_sep=naming.kv_sep, item_sep=naming.item_sep, exclude_keys=naming.exclude_keys
        )
        return composed
