"""Which values of a configuration come from environment variables, so that these are logged and not what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import Container, DictConfig, ListConfig, Node, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.resolvers import oc

from ..runtime.redact import FromEnvironment

# The address of the store is no secret but for its password, which is masked wherever it is shown.
_KNOWN = ("MLFLOW_TRACKING_URI",)


def from_environment(config: DictConfig) -> list[FromEnvironment]:
    """Return the values that come from environment variables, directly or by way of another value."""
    written = list(_interpolated(config, ""))
    found: list[FromEnvironment] = []
    if not written:
        return found
    with _recorded() as read:
        for key, node in written:
            read.clear()
            try:
                value: Any = node._dereference_node()
                value = OmegaConf.to_container(value, resolve=True) if isinstance(value, Container) else value._value()
            except OmegaConfBaseException:
                # Said when the value is used.
                continue
            if read:
                names = tuple((f"${{oc.env:{name}}}", held) for name, held in read.items())
                found.append(FromEnvironment(key, str(node._value()), value, names))
    return found


def interpolations(config: DictConfig) -> list[str]:
    """Return the values that are made of others, as they are written."""
    return [str(node._value()) for _, node in _interpolated(config, "")]


def _interpolated(node: Container, at: str) -> Iterator[tuple[str, Node]]:
    """Yield the values that are interpolations, with their keys; those in a list with the key of the list."""
    keys: Any = range(len(node)) if isinstance(node, ListConfig) else node
    for key in keys:
        inner = node._get_node(key)
        here = at if isinstance(node, ListConfig) else f"{at}.{key}".lstrip(".")
        if isinstance(inner, Node) and inner._is_interpolation():
            yield here, inner
        elif isinstance(inner, Container) and not inner._is_none() and not inner._is_missing():
            yield from _interpolated(inner, here)


@contextmanager
def _recorded() -> Iterator[dict[str, str]]:
    """Give what `oc.env` reads while the block runs, by the variable's name."""
    read: dict[str, str] = {}

    def env(key: str, *default: Any) -> str | None:
        if key in os.environ and key not in _KNOWN:
            read[key] = os.environ[key]
        return oc.env(key, *default)

    OmegaConf.register_new_resolver("oc.env", env, replace=True)
    try:
        yield read
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)
