"""Every family of parts, by the name of its configuration group."""

from __future__ import annotations

from collections.abc import Mapping

from .. import data, engine, interval, metric, model, proxy, sampling, study
from ..interval import accuracy, loss
from ..study import direction
from ..tracking.mlflow import Tracking

FAMILIES: dict[str, Mapping[str, type]] = {
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
FIELDS_OF_OTHER_FAMILIES = {
    "study/other": "study/direction",
    "study/against": "model",
    "proxy/model": "model",
}
