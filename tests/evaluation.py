"""Stages with something changed, and the evaluation of stages that a test has made."""

import copy
import dataclasses
from contextlib import nullcontext

from pipeline.experiment import Experiment, run
from pipeline.scoring.cache import cached_scores
from pipeline.study.evaluate import Evaluate

_ASKED = {field.name for field in dataclasses.fields(Experiment)}


def changed(stages, **changes):
    """Stages of which some fields, or some of the experiment's, are others."""
    asked = {name: changes.pop(name) for name in list(changes) if name in _ASKED}
    experiment = dataclasses.replace(stages.experiment, **asked)
    return dataclasses.replace(stages, experiment=experiment, **changes)


def evaluated(stages, **fields):
    """The result of ``study=evaluate`` with these fields, by `run`, on the rows and classifier of `stages`."""
    data, model = copy.copy(stages.experiment.data), copy.copy(stages.experiment.model)
    data.rows, model.built = lambda split: stages.rows, lambda source: stages.classifier
    experiment = dataclasses.replace(stages.experiment, data=data, model=model, study=Evaluate(**fields))
    return run(experiment, Always())


class Always:
    """A recorder for which every cell is due, and which keeps nothing."""

    def due(self, stages):
        return nullcontext(True)

    def log(self, stages, result):
        pass


def cached(classifier, rows, engine, job, make=None):
    """The scores of all rows as an engine and the cache give them."""
    return cached_scores(classifier, rows, run=engine.run, is_here=engine.is_here, job=job, make=make)
