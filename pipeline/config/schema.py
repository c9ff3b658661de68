"""The schema: registers the parts' own classes with Hydra, and turns a composed config into objects once."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from ..errors import BadInput
from ..experiment import Experiment
from ..runtime import files
from ..runtime.members import Members
from ..runtime.redact import hide
from .families import FAMILIES, FIELDS_OF_OTHER_FAMILIES
from .foreign import PACKAGE
from .messages import one_line, unknown_key
from .variables import from_environment

CONF = str(files.configuration())

# Here, not in conf/, because a cell's own config.yaml is read from another folder and must run in the same way.
_HYDRA = {
    "run": {"dir": "${mlruns:}/hydra/runs/${now:%Y-%m-%d_%H-%M-%S-%f}"},
    "sweep": {"dir": "${mlruns:}/hydra/sweeps/${now:%Y-%m-%d_%H-%M-%S-%f}", "subdir": "${hydra.job.num}"},
    # Hydra would write the overrides to a file as they are, with the password in tracking.uri.
    "output_subdir": None,
    "sweeper": {"_target_": f"hydra_plugins.{PACKAGE}.sweeps.plugins.sweeper.CellsSweeper"},
    "callbacks": {"check": {"_target_": f"{PACKAGE}.sweeps.callback.Check"}},
}
# At import, because the workers of a sweep call no function of ours before they compose their job.
OmegaConf.register_new_resolver("mlruns", lambda: str(files.mlruns()), replace=True)


def register() -> None:
    """Tell Hydra the schema; to be called before anything is composed."""
    ConfigStore.instance().store(group="schema", name="hydra", node={"hydra": _HYDRA})
    _store("schema", "experiment", {"experiment": Experiment})
    others = {group: FAMILIES[family] for group, family in FIELDS_OF_OTHER_FAMILIES.items()}
    for family, members in {**FAMILIES, **others}.items():
        for name in members:
            _store(f"schema/{family}", name, members)


class _Schema(ConfigNode):
    """The schema of a part, made when Hydra reads it: a run reads some twenty of the eighty."""

    # The schema. Until it is read, the family that the part belongs to.
    held: Any

    @property
    def node(self) -> Any:
        """The schema; Hydra sets it on a copy of this object."""
        if isinstance(self.held, Members | dict):
            self.held = OmegaConf.structured(self.held[self.name.removesuffix(".yaml")])
        return self.held

    @node.setter
    def node(self, node: Any) -> None:
        self.held = node


def _store(group: str, name: str, members: Mapping[str, type]) -> None:
    """Store the schema of a part, as `ConfigStore.store` does, which would import and convert its class at once."""
    # `repo`, dictionaries by group with the files' names as keys, is internal to hydra-core 1.3.8.
    place = ConfigStore.instance().repo
    for level in group.split("/"):
        place = place.setdefault(level, {})
    file = f"{name}.yaml"
    place[file] = _Schema(name=file, node=members, group=group, package=None, provider=None)


def to_experiment(config: DictConfig) -> Experiment:
    """Turn a composed config into objects; each part's ``__post_init__`` rejects nonsense.

    Raises
    ------
    BadInput
        If a value is out of its range.
    """
    if "hydra" in config:
        config = copy.deepcopy(config)
        with open_dict(config):
            del config["hydra"]
    _refuse_unknown(config)
    hide(from_environment(config))
    converted = OmegaConf.to_object(config)
    if not isinstance(converted, Experiment):
        raise BadInput(f"conf/config.yaml must start from /schema/experiment; found {type(converted).__name__}")
    return converted


def composed(overrides: Sequence[str]) -> Experiment:
    """Return the experiment that a command line with these overrides asks for, composed inside this process.

    Raises
    ------
    BadInput
        If an override is none, or a value is out of its range.
    """
    register()
    try:
        with initialize_config_dir(config_dir=CONF, version_base="1.3"):
            return to_experiment(compose("config", list(overrides)))
    except (HydraException, OmegaConfBaseException) as error:
        raise BadInput(one_line(error)) from error


def load(folder: Path) -> Experiment:
    """Return the experiment of a cell's own ``config.yaml``, which lies in `folder`."""
    register()
    with initialize_config_dir(config_dir=str(folder), version_base="1.3"):
        return to_experiment(compose("config"))


def _refuse_unknown(config: DictConfig, at: str = "") -> None:
    # Hydra lets +KEY=VALUE add any key, and a part would ignore one that it does not know.
    part = OmegaConf.get_type(config)
    known = [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else None
    for key in map(str, config):
        if known is not None and key not in known:
            raise BadInput(unknown_key(f"{at}{key}", [f"{at}{name}" for name in known]))
        if OmegaConf.is_dict(config._get_node(key)) and config[key] is not None:
            _refuse_unknown(config[key], f"{at}{key}.")
