"""The ``KEY=VALUE`` arguments of the small commands beside the pipeline, and the store that they name."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pipeline.address import without_secret
from pipeline.errors import BadInput
from pipeline.tracking import Tracking

STORE = ("tracking.uri", "tracking.experiment")


def read(arguments: Sequence[str], own: Sequence[str]) -> tuple[dict[str, str], Tracking]:
    """Return the command's own arguments, and the store; ``MLFLOW_TRACKING_URI`` stands where no ``tracking.uri`` does.

    Raises
    ------
    BadInput
        If an argument is not one of the known ones.
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
    tracking = Tracking(**{key: value for key, value in named.items() if value is not None})
    return {key: given[key] for key in own if key in given}, tracking
