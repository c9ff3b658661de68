"""Populations of paired gains whose mean is 0, on which verdicts are counted; draws of shape (m, n)."""

import math

import numpy as np


def rare(sign):
    """1 of 200 rows differs by 5 nats, the rest hardly."""

    def draw(rng, m, n):
        gains = 1e-3 * rng.standard_normal((m, n))
        gains[rng.random((m, n)) < 1 / 200] = 5.0 * sign
        return gains - 5.0 * sign / 200

    return draw


def lognormal(sign):
    """All of one sign before the mean is taken off, with a standard deviation of 0.45 and a skewness of 33."""

    def draw(rng, m, n):
        return sign * 0.05 * (np.exp(1.5 * rng.standard_normal((m, n))) - math.exp(1.5**2 / 2))

    return draw


def language_model(rng, m, n):
    """Losses of answers are spread widely, and differ by 15 % of themselves."""
    losses = rng.gamma(1.0, 2.0, (m, n))
    return 0.15 * losses * rng.standard_normal((m, n)) + 0.02 * (losses - 2.0)


def nearly_equal(rng, m, n):
    """One row of twenty differs by some half a nat, the rest hardly."""
    gains = 1e-3 * rng.standard_normal((m, n))
    differ = rng.random((m, n)) < 0.05
    gains[differ] += rng.laplace(0.3, 0.7, np.count_nonzero(differ))
    return gains - 0.05 * 0.3


def noisy_labels(rng, m, n):
    """Labels of 3 % of the rows are wrong: the surer model loses 2.5 nats there, and gains a little elsewhere."""
    is_wrong = rng.random((m, n)) < 0.03
    return np.where(is_wrong, -rng.normal(2.5, 0.8, (m, n)), rng.exponential(0.03 * 2.5 / 0.97, (m, n)))


def heavy_tails(rng, m, n):
    """Student's t with 2.5 degrees of freedom: symmetrical, without a finite kurtosis."""
    return 0.1 * rng.standard_t(2.5, (m, n))


def normal(rng, m, n):
    return 0.3 * rng.standard_normal((m, n))


POPULATIONS = {
    "1 of 200 gains 5 nats": rare(1),
    "1 of 200 loses 5 nats": rare(-1),
    "lognormal": lognormal(1),
    "lognormal, turned over": lognormal(-1),
    "a language model": language_model,
    "nearly equal": nearly_equal,
    "noisy labels": noisy_labels,
    "heavy tails": heavy_tails,
    "normal": normal,
}
