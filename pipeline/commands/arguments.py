"""Read the ``KEY=VALUE`` arguments of the commands, and the store that they name."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import BadInput
from ..runtime.redact import without_secret
from ..tracking.mlflow import Tracking

STORE = ("tracking.uri", "tracking.experiment", "tracking.migrate")


def read(arguments: Sequence[str], own: Sequence[str]) -> tuple[dict[str, str], Tracking]:
    """Return the command's own arguments and the store; ``MLFLOW_TRACKING_URI`` counts if there is no ``tracking.uri``.

    Raises
    ------
    BadInput
        If an argument is unknown.
    """
    known = [*own, *STORE]
    given: dict[str, str] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in known:
            listed = ", ".join(f"{name}=…" for name in known)
            raise BadInput(f"an argument must be one of {listed}; found {without_secret(argument)!r}")
        given[key] = value
    named = {"uri": given.get("tracking.uri") or os.environ.get("MLFLOW_TRACKING_URI")}
    named["experiment"] = given.get("tracking.experiment")
    migrate = given.get("tracking.migrate", "false")
    if migrate not in ("true", "false"):
        raise BadInput(f"tracking.migrate must be true or false; found {without_secret(migrate)!r}")
    tracking = Tracking(**{key: value for key, value in named.items() if value is not None}, migrate=migrate == "true")
    return {key: given[key] for key in own if key in given}, tracking
