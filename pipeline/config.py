"""The schema: registers the parts' own classes with Hydra, and turns a composed config into objects once."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from pipeline import data, files, interval, model, sampling, study
from pipeline.errors import BadInput
from pipeline.experiment import Experiment
from pipeline.interval import accuracy, loss
from pipeline.tracking import Tracking

FAMILIES: dict[str, dict[str, type]] = {
    "data": data.MEMBERS,
    "model": model.MEMBERS,
    "sampling": sampling.MEMBERS,
    "interval": interval.MEMBERS,
    "interval/loss": loss.MEMBERS,
    "interval/accuracy": accuracy.MEMBERS,
    "study": study.MEMBERS,
    "tracking": {"mlflow": Tracking},
}
CONF = str(Path(__file__).resolve().parent.parent / "conf")

# Here, not in conf/, so that a cell's own config.yaml, which is read from another folder, runs in the same way.
_HYDRA = {
    "run": {"dir": "${mlruns:}/hydra/runs/${now:%Y-%m-%d_%H-%M-%S-%f}"},
    "sweep": {"dir": "${mlruns:}/hydra/sweeps/${now:%Y-%m-%d_%H-%M-%S-%f}", "subdir": "${hydra.job.num}"},
    "callbacks": {"sweep": {"_target_": "pipeline.sweep.Sweep"}},
}


def register() -> None:
    """Tell Hydra the schema; to be called before anything is composed."""
    OmegaConf.register_new_resolver("mlruns", lambda: str(files.mlruns()), replace=True)
    store = ConfigStore.instance()
    store.store(group="schema", name="hydra", node={"hydra": _HYDRA})
    store.store(group="schema", name="experiment", node=Experiment)
    for family, members in FAMILIES.items():
        for name, part in members.items():
            store.store(group=f"schema/{family}", name=name, node=part)


def to_experiment(config: DictConfig) -> Experiment:
    """Turn a composed config into objects; each part's ``__post_init__`` rejects nonsense.

    Raises
    ------
    BadInput
        If a value is out of its range.
    """
    plain = copy.deepcopy(config)
    with open_dict(plain):
        plain.pop("hydra", None)
    converted = OmegaConf.to_object(plain)
    if not isinstance(converted, Experiment):
        raise BadInput(f"conf/config.yaml must start from /schema/experiment; found {type(converted).__name__}")
    return converted


def is_request_error(error: BaseException) -> bool:
    """Whether the error says that the request was wrong, rather than that something failed."""
    return isinstance(error, BadInput | HydraException | OmegaConfBaseException)


def one_line(error: BaseException) -> str:
    """Say in one line what was wrong with a request."""
    if isinstance(error, MissingConfigException) and error.options is not None:
        wanted = str(error.missing_cfg_file)
        group, _, choice = wanted.rpartition("/")
        return f"{group} must be one of {', '.join(sorted(error.options))}; found {choice!r}"
    if isinstance(error, ConfigCompositionException) and error.__cause__ is not None:
        outer, inner = str(error).strip(), str(error.__cause__).strip()
        return _squeezed(inner if not outer or outer == "None" else f"{outer}: {inner}")
    return _squeezed(str(error))


def _squeezed(message: str) -> str:
    """One line of a message of several, without OmegaConf's internal ``object_type=`` lines."""
    lines = [line.strip() for line in message.splitlines()]
    kept = [line for line in lines if line and not re.match(r"^(object_type|reference_type|full_key: ?$)", line)]
    return " ".join(kept)


def values_of(swept: dict[str, list[str]]) -> Iterator[list[str]]:
    """Every combination of the swept values, as overrides, in the order that Hydra runs them."""
    keys = list(swept)
    for combination in itertools.product(*swept.values()):
        yield [f"{key}={value}" for key, value in zip(keys, combination, strict=True)]
