"""The other model of a comparison, where it is made of weights, and both models' scores of all rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.data.base import Data
from pipeline.data.shards.places import is_remote, path_of
from pipeline.engine.base import Job
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.model.base import Classifier, Model, fits
from pipeline.model.network import ACTIVATIONS, Network
from pipeline.model.npz import layers_of, read_all
from pipeline.records import Dataset, Scores
from pipeline.scored import scored
from pipeline.scoring import score
from pipeline.study.base import Setting


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


def network_of(against: str, activation: str | None, setting: Setting) -> Classifier:
    """Read the other network, in float64.

    Parameters
    ----------
    against : str
        An npz file of weights.
    activation : str or None
        Of its hidden layers; None is the model's own.
    setting : Setting
        The rows that it must take, and the model.

    Raises
    ------
    BadInput
        If it cannot be read, or does not take the rows.
    """
    activation = activation or getattr(setting.classifier, "activation", None)
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
        fits(other, setting.dataset)
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


def all_scores(classifier: Classifier, setting: Setting) -> Scores:
    """Score all rows under one of the two; of rows that are not in memory the scores are kept on disk, in float64."""

    def make() -> tuple[Scores, float]:
        return score(classifier, setting.dataset), 0.0

    if isinstance(setting.dataset, Dataset):
        key = f"paired scores {setting.dataset.digest} {setting.dataset.scale} {classifier.digest}"
        return once(key, make)[0]
    model = Fixed(network=classifier) if isinstance(classifier, Network) else setting.model
    job = Job(setting.data, setting.data.split, model, None, {}, is_double=True)
    return scored(classifier, setting.dataset, setting.engine, job, make)[0]
