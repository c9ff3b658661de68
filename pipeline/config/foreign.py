"""Which of Hydra's own settings a configuration may hold: classes that Hydra starts, folders, logging, environment.

Hydra starts the classes that its settings name, makes the folders that they name, and opens their log files. So classes
are refused unless they are known ones, wherever they come from; and a file from elsewhere (``--config-path``,
``--config-dir``, ``hydra.searchpath``) may set no more of Hydra than a sweep needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from ..errors import BadInput, brief
from ..runtime import files

# The name of the whole package: `pipeline` in a checkout, `batchscope` where it is installed.
PACKAGE = str(__package__).rpartition(".")[0]
_PLUGINS = f"hydra_plugins.{PACKAGE}.sweeps.plugins"
# The classes that Hydra may start: this package's, Hydra's own, and the launchers that the extras bring.
CLASSES = frozenset(
    (
        f"{PACKAGE}.sweeps.callback.Check",
        f"{_PLUGINS}.sweeper.CellsSweeper",
        f"{_PLUGINS}.launchers.Missing",
        f"{_PLUGINS}.launchers.NoSlurm",
        f"{_PLUGINS}.ray.LocalOrClusterRay",
        "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
        "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
        "hydra.experimental.callbacks.LogJobReturnCallback",
        "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
        "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
        "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
        "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
    )
)
_STARTED = ("launcher", "sweeper", "callbacks")
# What a logging configuration may name: classes, and the objects that `ext://` imports.
_HANDLERS = ("logging.StreamHandler", "logging.FileHandler", "logging.NullHandler")
_STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
# What a file from elsewhere may set. The rest of these is filled in by Hydra itself, or only printed.
_FREE = (
    *("mode", "verbose", "help", "hydra_help", "overrides", "runtime"),
    *("sweeper.params", "sweeper.max_batch_size", "job.config_name", "job.override_dirname"),
)
# The option that names a program to be started.
PROGRAM = "study.labels"
_ADVICE = "a file from elsewhere may set hydra.mode, hydra.sweeper.params, a launcher and its numbers: leave it out"


@contextmanager
def checked() -> Iterator[None]:
    """Check all that Hydra composes, before it starts a class or makes a folder."""
    # Internal to hydra-core 1.3.8, which has no step of its own between composing and starting.
    composing = ConfigLoaderImpl.load_configuration

    def load(self: ConfigLoaderImpl, config_name: str | None, overrides: list[str], *rest: Any, **named: Any) -> Any:
        is_foreign = _is_foreign(self.config_search_path, overrides)
        if is_foreign:
            _refuse_search_path(self, config_name)
        composed = composing(self, config_name, overrides, *rest, **named)
        refuse_unknown_classes(composed)
        if is_foreign:
            refuse_foreign_settings(composed, lambda lines: _own(lines, composing))
        return composed

    ConfigLoaderImpl.load_configuration = load
    try:
        yield
    finally:
        ConfigLoaderImpl.load_configuration = composing


def refuse_unknown_classes(composed: DictConfig) -> None:
    """Refuse a class that is none of `CLASSES`, wherever in Hydra's settings it is named.

    Raises
    ------
    BadInput
        If there is one, or a logging handler or stream other than the usual.
    """
    for part in _STARTED:
        node = OmegaConf.select(composed, f"hydra.{part}")
        for key, value in _leaves(OmegaConf.to_container(node, resolve=True) if node else {}, f"hydra.{part}"):
            # Hydra starts those inside of others, too: there is none of ours.
            is_place = key.count(".") == (3 if part == "callbacks" else 2)
            if key.endswith("._target_") and not (is_place and value in CLASSES):
                raise BadInput(
                    f"{key} must be a class of this program, of Hydra or of a launcher that it knows; found "
                    f"{brief(value)}, and a class may run any code: leave it out"
                )
    for part in ("hydra_logging", "job_logging"):
        node = OmegaConf.select(composed, f"hydra.{part}")
        for key, value in _leaves(OmegaConf.to_container(node) if node else {}, f"hydra.{part}"):
            name = key.rpartition(".")[2]
            is_class = name in ("class", "()", "_target_") and not (name == "class" and value in _HANDLERS)
            if is_class or (isinstance(value, str) and value.startswith("ext://") and value not in _STREAMS):
                raise BadInput(
                    f"{key} must be one of {', '.join(_HANDLERS)} and the streams {', '.join(_STREAMS)}; found "
                    f"{brief(value)}: leave it out"
                )


def refuse_foreign_settings(composed: DictConfig, own: Callable[[list[str]], DictConfig]) -> None:
    """Refuse settings of Hydra's that a file from elsewhere has made.

    Parameters
    ----------
    composed : DictConfig
        What files from elsewhere and the command line ask for.
    own : callable
        Composes this program's own configuration with the overrides it is given.

    Raises
    ------
    BadInput
        If Hydra's settings are not what they are without these files, under the same choices and command line.
    """
    lines = list(composed.hydra.overrides.hydra)
    made = composed.hydra.runtime.choices.items()
    choices = {str(key): str(value) for key, value in made if str(key).startswith("hydra/") and value is not None}
    parsed = OverridesParser.create().parse_overrides(lines)
    kept = [line.input_line for line in parsed if line.key_or_group not in choices and line.input_line is not None]
    try:
        known = own([*(f"{key}={value}" for key, value in choices.items()), *kept])
    except HydraException as error:
        raise BadInput(
            f"the choices of hydra/… must be this program's; found {_listed(choices)} with a file from elsewhere: "
            f"{_ADVICE}"
        ) from error
    expected = dict(_leaves(OmegaConf.to_container(known.hydra), "hydra"))
    found = dict(_leaves(OmegaConf.to_container(composed.hydra), "hydra"))
    for key in sorted(expected.keys() | found.keys()):
        value = found.get(key)
        is_number = key.startswith("hydra.launcher.") and isinstance(value, bool | int | float)
        is_free = any(f"{key}.".startswith(f"hydra.{free}.") for free in _FREE)
        if not (is_free or is_number) and value != expected.get(key):
            raise BadInput(f"{key} must be set on the command line; found {brief(value)} in a file: {_ADVICE}")
    params = OmegaConf.select(composed, "hydra.sweeper.params") or {}
    _refuse_programs(composed, params)
    # They become overrides, and those of Hydra's would pass for the command line's.
    if touching := [key for key in params if "hydra" in str(key)]:
        raise BadInput(f"hydra.sweeper.params must not vary Hydra itself; found {brief(touching[0])}: {_ADVICE}")


def _refuse_programs(composed: DictConfig, params: Mapping[str, Any]) -> None:
    """Refuse a program that is named in a file: what is started must stand on the command line."""
    typed = OverridesParser.create().parse_overrides(list(composed.hydra.overrides.task))
    is_typed = any(line.key_or_group == PROGRAM for line in typed)
    found = None if is_typed else OmegaConf.select(composed, PROGRAM)
    for key, value in params.items():
        bare = str(key).lstrip("+~")
        # `study` alone may be given a whole part, with all its fields.
        if bare == PROGRAM or (bare == "study" and "labels" in str(value)):
            found = value
    if found is not None:
        raise BadInput(
            f"{PROGRAM} must be set on the command line, for it is a program that is started; found {brief(found)} in "
            "a file: leave it out"
        )


def _leaves(tree: Any, at: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{at}.{key}")
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from _leaves(value, f"{at}.{number}")
    else:
        yield at, tree


def _listed(choices: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={brief(value)}" for key, value in choices.items() if key.count("/") == 1)


def _own(overrides: list[str], composing: Callable[..., DictConfig]) -> DictConfig:
    from hydra.types import RunMode

    loader = ConfigLoaderImpl(create_config_search_path(str(files.configuration())))
    return composing(loader, "config", overrides, RunMode.MULTIRUN)


def _is_foreign(path: ConfigSearchPath, overrides: list[str]) -> bool:
    own = {_plain(element.path) for element in create_config_search_path(str(files.configuration())).get_path()}
    is_added = any("hydra.searchpath" in line for line in overrides)
    return is_added or any(_plain(element.path) not in own for element in path.get_path())


def _plain(path: str | None) -> str:
    return str(path).removeprefix("file://")


def _refuse_search_path(loader: ConfigLoaderImpl, config_name: str | None) -> None:
    """Refuse a search path in the file itself: Hydra follows it, and imports packages, before all is composed."""
    loaded = loader.repository.load_config(config_name) if config_name else None
    if loaded is not None and OmegaConf.is_dict(loaded.config):
        given = OmegaConf.select(loaded.config, "hydra.searchpath")
        if given:
            raise BadInput(
                f"hydra.searchpath must be set on the command line; found {brief(given)} in a file: {_ADVICE}"
            )
