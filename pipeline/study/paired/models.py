"""The other model of a comparison, and both models' scores of all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...data.base import Data
from ...data.formats.locations import is_remote, path_of
from ...errors import BadInput
from ...experiment import Stages
from ...metric.chosen import refuse_unknown
from ...model import MEMBERS
from ...model.base import Classifier, Model, fits
from ...model.network import ACTIVATIONS, Network
from ...model.npz import layers_of, read_all
from ...records.rows import Dataset
from ...records.scores import Scores
from ...runtime.memo import once
from ...scoring.block import RowFunction
from ...scoring.cache import cached_scores
from ...scoring.job import Job
from ...scoring.rows import score


@dataclass
class Fixed(Model):
    """A network that is there already, for whoever scores rows with it elsewhere.

    Attributes
    ----------
    network : Network
    """

    name: str = field(init=False, default="fixed")
    network: Network = field(kw_only=True)

    def build(self, data: Data) -> Network:
        """Return the network."""
        return self.network


# The kind of model that a file of that ending is; any other file is one of weights.
_KINDS = {".onnx": "onnx", ".pt": "torch", ".pt2": "torch", ".safetensors": "safetensors", ".skops": "sklearn"}


def is_weights(against: str | Model) -> bool:
    """Return whether the other model is an npz file of weights."""
    return isinstance(against, str) and Path(path_of(against)).suffix not in _KINDS


def model_of(against: str | Model, stages: Stages) -> Model:
    """Return the other model as a part; a file of the model's own kind is read with the model's own options."""
    if isinstance(against, Model):
        return against
    kind, own = MEMBERS[_KINDS[Path(path_of(against)).suffix]], stages.experiment.model
    made: Model = replace(own, path=against) if type(own) is kind else kind(path=against)  # type: ignore[call-arg]
    return made


def built_of(model: Model, stages: Stages) -> Classifier:
    """Build the other model for the rows, a network in float64.

    Raises
    ------
    BadInput
        If it cannot be read, does not take the rows, or tells none of the metrics asked for.
    """
    asked = stages.experiment
    try:
        other = model.built(asked.data)
        fits(other, stages.rows)
        refuse_unknown(asked.metric, gives=other.gives, given=other.metrics, n_classes=stages.rows.n_classes)
    except BadInput as error:
        raise BadInput(f"study.against: {error}") from error
    return in_double(other)


def network_of(against: str, activation: str | None, stages: Stages) -> Classifier:
    """Read the other network, in float64.

    Parameters
    ----------
    against : str
        An npz file of weights.
    activation : str or None
        Of its hidden layers; None is the model's own.
    stages : Stages
        The rows that it must take, and the model.

    Raises
    ------
    BadInput
        If it cannot be read, or does not take the rows.
    """
    activation = activation or getattr(stages.classifier, "activation", None)
    if activation is None:
        raise BadInput(
            f"study.against_activation must be given, one of {', '.join(ACTIVATIONS)}, for the model is no network "
            "whose own could be taken; found null"
        )
    if is_remote(against):
        raise BadInput(
            f"study.against must be a file of weights on this machine; found {path_of(against)}: copy it here, or "
            "choose data=predictions"
        )
    path = Path(against)
    try:
        other = Network(layers_of(read_all(path), where=str(path)), activation)
        fits(other, stages.rows)
    except BadInput as error:
        raise BadInput(f"study.against={against}: {error}") from error
    return in_double(other)


def in_double(classifier: Classifier) -> Classifier:
    """Return a network with its weights in float64; any other classifier as it is.

    Float32 weights and losses round a small change away: of the book network's gradient step of 1e-5 on MNIST they
    keep less than a third of the mean difference, and ask for eight times the examples.
    """
    if not isinstance(classifier, Network):
        return classifier
    layers = [(W.astype(np.float64), b.astype(np.float64)) for W, b in classifier.layers]
    return Network(layers, classifier.activation)


def all_scores(
    classifier: Classifier, model: Model, stages: Stages, besides: Mapping[str, RowFunction] | None = None
) -> Scores:
    """Score all rows under one of the two; of rows that are not in memory the scores are kept on disk, in float64.

    Parameters
    ----------
    classifier : Classifier
        The one.
    model : Model
        From which another process can build it, if it is no network, which is sent as it is.
    stages : Stages
    besides : mapping of str to callable, or None
        What else is evaluated of a row; see `Stages.scores`.
    """
    functions = {**stages.job().functions, **(besides or {})}
    evaluated = stages.job(functions).evaluated

    def make() -> tuple[Scores, float]:
        return score(classifier, stages.rows, functions=functions), 0.0

    if isinstance(stages.rows, Dataset):
        key = f"paired scores {stages.rows.digest} {stages.rows.scale} {classifier.digest} {evaluated}"
        return once(key, make)[0]
    model = Fixed(network=classifier) if isinstance(classifier, Network) else model
    job = Job(stages.experiment.data, stages.experiment.data.split, model, None, functions, is_double=True)
    engine = stages.experiment.engine
    return cached_scores(classifier, stages.rows, run=engine.run, is_here=engine.is_here, job=job, make=make)[0]
