"""The stages in sequence: data, sampling, model, loss and accuracy, interval; the study asks the question."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.data.base import Data
from pipeline.engine.base import Engine
from pipeline.errors import BadInput
from pipeline.frame import frame_of
from pipeline.interval.by_metric import ByMetric
from pipeline.metric.base import Metric
from pipeline.metric.chosen import main_metrics, refuse_unknown
from pipeline.model.base import Model, fits
from pipeline.proxy.base import Proxy
from pipeline.sampling.base import Sampling
from pipeline.study.base import Setting, Study
from pipeline.tracking import Tracking


@dataclass
class Experiment:
    """One cell, as configured; the defaults stand in ``conf/config.yaml``.

    Attributes
    ----------
    seed : int
        At least 0; the only source of randomness of the draws.
    batch_size : int
        Rows in a batch, at least 1.
    draws : int
        How many independent batches, at least 1.
    confidence : float
        Of the intervals, in (0, 1).
    data, model, proxy, sampling, interval, engine, study, tracking
        The parts.
    metric : dict of str to Metric
        What is counted of each row, by name; none is the loss and the accuracy.
    force : bool
        Whether a sweep's cells are carried out again though they are finished. It shapes no result.
    """

    seed: int
    batch_size: int
    draws: int
    confidence: float
    data: Data
    model: Model
    proxy: Proxy
    sampling: Sampling
    interval: ByMetric
    engine: Engine
    study: Study
    tracking: Tracking
    metric: dict[str, Metric] = field(default_factory=dict)
    force: bool = False

    def __post_init__(self) -> None:
        self.metric = self.metric or main_metrics()
        for key, least in (("seed", 0), ("batch_size", 1), ("draws", 1)):
            if getattr(self, key) < least:
                raise BadInput(f"{key} must be a whole number of at least {least}; found {getattr(self, key)}")
        # The second: so near to 1 that the quantile of the interval's end would be infinite.
        if not 0 < self.confidence < 1 or (1 + self.confidence) / 2 == 1:
            raise BadInput(f"confidence must be between 0 and 1, such as 0.95; found {self.confidence}")

    def prepare(self) -> Setting:
        """Load the data and the model, and refuse what cannot work; nothing is written but the caches.

        Raises
        ------
        BadInput
            If data, model, batch size and study do not go together.
        """
        self.study.check_metrics(self.metric)
        dataset = self.data.rows(self.data.split)
        units = self.sampling.units(dataset)
        classifier = self.model.built(self.data)
        fits(classifier, dataset)
        refuse_unknown(self.metric, gives=classifier.gives, given=classifier.metrics, n_classes=dataset.n_classes)
        frame = frame_of(dataset, units, classifier, proxy=self.proxy, data=self.data)
        setting = Setting(
            dataset=dataset,
            data=self.data,
            model=self.model,
            classifier=classifier,
            units=units,
            proxy=self.proxy,
            frame=frame,
            sampling=self.sampling,
            plan=self.sampling.plan(frame, self.batch_size),
            interval=self.interval,
            engine=self.engine,
            seed=self.seed,
            batch_size=self.batch_size,
            draws=self.draws,
            confidence=self.confidence,
            metric=self.metric,
        )
        self.study.check(setting)
        return setting
