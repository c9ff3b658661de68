"""The losses and the hits of two models on the same rows, and what a gate asks of them."""

import numpy as np

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss

RNG = np.random.default_rng(1)
APART = RNG.uniform(-1.2, 1.2, 250)
# Without skewness and with light tails, where the interval is Student's t; and differences of a nat are seen.
LOSS = (first := RNG.exponential(0.3, 500), first + np.concatenate([APART, -APART]) + 0.18)
RIGHT = (before := RNG.random(500) < 0.9, before & (RNG.random(500) < 0.97))
COLUMNS = {"loss": LOSS, "accuracy": RIGHT}
METRICS = {"loss": Loss(), "accuracy": Accuracy()}
MARGINS = {"loss": 0.6, "accuracy": 0.02}
