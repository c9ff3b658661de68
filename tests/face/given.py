"""Predictions of two models for the same rows, as arrays."""

import numpy as np


def two_models(n=400, k=3, seed=0, *, better=0.3):
    """Labels, and the logits of two models; the second knows a little more."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    truth = np.eye(k)[labels]
    first = rng.normal(0, 1, (n, k)) + 1.5 * truth
    return labels, first, first + rng.normal(0, 0.3, (n, k)) + better * truth
