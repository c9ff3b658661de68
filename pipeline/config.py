"""The schema: registers the parts' own classes with Hydra, and turns a composed config into objects once."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from pipeline import data, engine, files, interval, metric, model, proxy, report, sampling, study
from pipeline.errors import BadInput, Failed
from pipeline.experiment import Experiment
from pipeline.interval import accuracy, loss
from pipeline.study import direction
from pipeline.tracking import Tracking

T = TypeVar("T")

FAMILIES: dict[str, dict[str, type]] = {
    "data": data.MEMBERS,
    "model": model.MEMBERS,
    "metric": metric.MEMBERS,
    "proxy": proxy.MEMBERS,
    "sampling": sampling.MEMBERS,
    "engine": engine.MEMBERS,
    "interval": interval.MEMBERS,
    "interval/loss": loss.MEMBERS,
    "interval/accuracy": accuracy.MEMBERS,
    "study": study.MEMBERS,
    "study/direction": direction.MEMBERS,
    "tracking": {"mlflow": Tracking},
}
# A field that takes a part of another field's family.
_ALSO = {"study/other": "study/direction", "proxy/model": "model"}
CONF = str(Path(__file__).resolve().parent.parent / "conf")

# Here, not in conf/, so that a cell's own config.yaml, which is read from another folder, runs in the same way.
_HYDRA = {
    "run": {"dir": "${mlruns:}/hydra/runs/${now:%Y-%m-%d_%H-%M-%S-%f}"},
    "sweep": {"dir": "${mlruns:}/hydra/sweeps/${now:%Y-%m-%d_%H-%M-%S-%f}", "subdir": "${hydra.job.num}"},
    # Hydra would write the overrides down as they are, the password in tracking.uri too.
    "output_subdir": None,
    "sweeper": {"_target_": "hydra_plugins.batchscope_sweeper.CellsSweeper"},
    "callbacks": {"check": {"_target_": "pipeline.sweep.Check"}},
}
# At import, for the workers of a sweep call nothing before they compose their job.
OmegaConf.register_new_resolver("mlruns", lambda: str(files.mlruns()), replace=True)


def register() -> None:
    """Tell Hydra the schema; to be called before anything is composed."""
    store = ConfigStore.instance()
    store.store(group="schema", name="hydra", node={"hydra": _HYDRA})
    store.store(group="schema", name="experiment", node=Experiment)
    for family, members in {**FAMILIES, **{field: FAMILIES[family] for field, family in _ALSO.items()}}.items():
        for name, part in members.items():
            store.store(group=f"schema/{family}", name=name, node=part)


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
    converted = OmegaConf.to_object(config)
    if not isinstance(converted, Experiment):
        raise BadInput(f"conf/config.yaml must start from /schema/experiment; found {type(converted).__name__}")
    return converted


def load(folder: Path) -> Experiment:
    """Return the experiment of a cell's own ``config.yaml``, which lies in `folder`."""
    register()
    with initialize_config_dir(config_dir=str(folder), version_base="1.3"):
        return to_experiment(compose("config"))


def _refuse_unknown(config: DictConfig, at: str = "") -> None:
    # Hydra lets +KEY=VALUE add whatever it is told; a part would go on without a word.
    part = OmegaConf.get_type(config)
    known = [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else None
    for key in map(str, config):
        if known is not None and key not in known:
            raise BadInput(_unknown(f"{at}{key}", [f"{at}{name}" for name in known]))
        if OmegaConf.is_dict(config._get_node(key)) and config[key] is not None:
            _refuse_unknown(config[key], f"{at}{key}.")


def _unknown(key: str, known: list[str]) -> str:
    leaves = {name.rpartition(".")[2]: name for name in known}
    near = difflib.get_close_matches(key.rpartition(".")[2], leaves, n=1)
    advice = f"did you mean {leaves[near[0]]}?" if near else f"choose one of {', '.join(known)}"
    return f"every key must be a known one; found {key}: {advice}"


def or_exit(work: Callable[[], T]) -> T:
    """Do the work, or say what was wrong and exit: with 2 where it was the request, else with 1.

    Hydra turns an exception of a callback into a warning and goes on, and prints lines of its own before one of a job;
    a SystemExit it lets through.
    """
    try:
        return work()
    except Exception as error:
        if report.WANTS_TRACEBACK or not is_plain(error):
            traceback.print_exc()
        else:
            report.error(one_line(error))
        raise SystemExit(2 if is_request_error(error) else 1) from error


def is_plain(error: BaseException) -> bool:
    """Whether the error's message is the whole answer, and no traceback is wanted."""
    return isinstance(error, Failed) or is_request_error(error)


def is_request_error(error: BaseException) -> bool:
    """Whether the error says that the request was wrong, rather than that something failed."""
    # Hydra has no class of its own for flags that exclude each other.
    is_flags = type(error) is ValueError and str(error).startswith("Only one of --run")
    return is_flags or isinstance(error, BadInput | HydraException | OmegaConfBaseException)


def one_line(error: BaseException) -> str:
    """Say in one line what was wrong with a request."""
    if isinstance(error, MissingConfigException) and error.options is not None:
        wanted = str(error.missing_cfg_file)
        group, _, choice = wanted.rpartition("/")
        return f"{group} must be one of {', '.join(sorted(error.options))}; found {choice!r}"
    if isinstance(error, MissingConfigException) and str(error.missing_cfg_file).startswith("metric/"):
        return f"metric must be of {', '.join(FAMILIES['metric'])}; found {str(error.missing_cfg_file)[7:]!r}"
    if isinstance(error, ConfigCompositionException) and error.__cause__ is not None:
        outer, inner = str(error).strip(), str(error.__cause__).strip()
        return _in_our_words(inner if not outer or outer == "None" else f"{outer}: {inner}")
    return _in_our_words(str(error))


_TYPES = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false", "String": "text"}


def _in_our_words(message: str) -> str:
    """Hydra's and OmegaConf's most frequent messages as: what must hold, what was found, what to do."""
    if several := re.search(r"Ambiguous value for argument '([^=']+)=([^']*)'", message):
        key, values = several.groups()
        return f"{key} must be one value here; found {values}: sweep over several with --multirun, as make sweep does"
    if wrong := re.search(r"Value '(.*)' of type '.*' could not be converted to (\w+)", message):
        key = re.search(r"full_key: (\S+)", message)
        what = _TYPES.get(wrong[2], f"of type {wrong[2]}")
        return f"{key[1] if key else 'a value'} must be {what}; found {wrong[1]!r}: give another"
    if other := re.search(r"Could not override '(metric\.(\w+)[^']*)'.*is not in struct", message, re.DOTALL):
        return f"{other[1]} must be of a metric that is chosen; found none: add it with +metric={other[2]}"
    if missing := re.search(r"Key '([^']+)' (?:not in|is not in) '(\w+)'", message):
        key = re.search(r"full_key: (\S+)", message)
        return _unknown(key[1] if key else missing[1], _keys_beside(missing[2], key[1] if key else ""))
    return _squeezed(message)


def _keys_beside(part: str, key: str) -> list[str]:
    at, dot, _ = key.rpartition(".")
    parts = {made.__name__: made for members in FAMILIES.values() for made in members.values()}
    made = {**parts, "Experiment": Experiment}.get(part)
    return [f"{at}{dot}{field.name}" for field in dataclasses.fields(made)] if made else []


def _squeezed(message: str) -> str:
    """One line of a message of several, without OmegaConf's internal ``object_type=`` lines."""
    lines = [line.strip() for line in message.splitlines()]
    kept = [line for line in lines if line and not re.match(r"^(object_type|reference_type|full_key: ?$)", line)]
    return " ".join(kept)
