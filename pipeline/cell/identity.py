"""What a cell is: its configuration in the forms that others read, and the digest by which it is known again."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

import yaml

from ..experiment import Experiment, Stages
from ..runtime import files
from ..runtime.redact import as_written, without_secret

# Where a file lies shapes no result; what is in it does, and is in the digests of data and weights.
_PLACES = ("path", "train_path", "root", "sweep_sizes", "tracking_uri")


def configuration(experiment: Experiment) -> str:
    """The resolved configuration as YAML, without secrets; Hydra runs it as it is.

    ``python -m pipeline --config-path FOLDER --config-name config``, with the folder of the file.
    """
    defaults = [
        "/schema/experiment@_global_",
        "/schema/hydra@_global_",
        *_schemas(experiment),
        "_self_",
        {"override hydra/hydra_logging": "none"},
        {"override hydra/job_logging": "none"},
    ]
    return yaml.safe_dump({"defaults": defaults, **as_written(_tree(experiment))}, sort_keys=False)


def _schemas(part: Any, at: str = "") -> Iterator[str]:
    for member in fields(part):
        value = getattr(part, member.name)
        group = f"{at}/{member.name}".lstrip("/")
        if is_dataclass(value):
            yield f"/schema/{group}/{value.name}@{group.replace('/', '.')}"  # type: ignore[union-attr]
            yield from _schemas(value, group)
        elif isinstance(value, dict):
            # Of data.sweep_sizes no value is a part.
            parts: dict[str, Any] = {key: part for key, part in value.items() if is_dataclass(part)}
            yield from (f"/schema/{group}/{part.name}@{group.replace('/', '.')}.{key}" for key, part in parts.items())


def parameters(experiment: Experiment) -> dict[str, str]:
    """The resolved configuration flattened, as MLflow's params."""
    return flatten(as_written(_tree(experiment)))


def value_of(params: dict[str, str], key: str) -> str | None:
    """Return a swept key's value; a group's choice is the part's name; None where the cell has no such parameter."""
    key = key.lstrip("+~").partition("@")[2] or key.lstrip("+~")
    group = key.replace("/", ".")
    several = (own for own in params if re.fullmatch(rf"{re.escape(group)}\.\w+\.name", own))
    chosen = params.get(key) or params.get(f"{group}.name")
    # Of a group with several choices at once, such as metric, all of them.
    return chosen or "+".join(params[own] for own in several) or None


def cell_digest(experiment: Experiment, content: list[object]) -> str:
    """Digest of everything that shapes the result: configuration, content (`content_of`), and the package's source."""
    return files.digest_of(shaping(experiment), content, files.source_digest())


def content_of(stages: Stages) -> list[object]:
    """Return the digests of data, weights, and whatever else a cell reads."""
    experiment, rows, classifier = stages.experiment, stages.rows, stages.classifier
    proxy = experiment.proxy.content(rows, classifier, data=experiment.data)
    slices = [] if stages.slices is None else [stages.slices.names, files.content_digest(stages.slices.codes.tobytes())]
    return [rows.digest, rows.scale, classifier.digest, proxy, *slices, *experiment.study.content(stages)]


def shaping(experiment: Experiment) -> dict[str, Any]:
    """Return the part of the configuration that shapes a result."""
    tree = {key: value for key, value in _tree(experiment).items() if key not in ("tracking", "engine")}
    for group in ("data", "model"):
        tree[group] = {key: value for key, value in tree[group].items() if key not in _PLACES}
    return tree


def without(flat: dict[str, str], keys: Iterable[str]) -> dict[str, str]:
    """Return a flattened configuration without what hangs at the keys of a sweep, groups included."""
    places = [key.lstrip("+~").partition("@")[0].replace("/", ".") for key in keys]
    return {key: value for key, value in flat.items() if not any(f"{key}.".startswith(f"{place}.") for place in places)}


def _tree(experiment: Experiment) -> dict[str, Any]:
    tree = asdict(experiment)
    del tree["force"], tree["tracking"]["migrate"]
    tree["tracking"]["uri"] = without_secret(tree["tracking"]["uri"])
    # An object store's address may hold a key.
    for group, place in itertools.product(("data", "study"), ("path", "against")):
        if isinstance(tree[group].get(place), str):
            tree[group][place] = without_secret(tree[group][place])
        elif isinstance(tree[group].get(place), list):
            tree[group][place] = [without_secret(path) for path in tree[group][place]]
    if tree["study"].get("files"):
        tree["study"]["files"] = [without_secret(path) for path in tree["study"]["files"]]
    return tree


def flatten(tree: dict[str, Any], *, prefix: str = "") -> dict[str, str]:
    """A nested configuration as ``data.name`` → ``digits``; lists and None as JSON would write them."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, prefix=f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return flat


@dataclass(frozen=True)
class Member:
    """A cell's place in a sweep.

    Attributes
    ----------
    parent : str
        The id of the sweep's run.
    varied : tuple of str
        The keys in which the sweep's cells differ; they make the cell's name.
    digest : str
        What `cell_digest` was when the sweep was started.
    labels : dict of str to dict of str to str
        Short labels of the values of the varied keys; see `labels_of`.
    """

    parent: str
    varied: tuple[str, ...]
    digest: str
    labels: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name of the cell's lock and of its packages."""
        return f"{self.parent}-{self.digest}"
