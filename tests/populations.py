"""Small populations for the tests of designs, draws and intervals."""

import numpy as np

from pipeline.estimation.draws import batches_of
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.records.scores import Scores
from pipeline.sampling.frame import Frame, Guess
from pipeline.sampling.units import Units


def some_scores(size, seed=0):
    """Losses with a long tail, larger where the row is wrong more often."""
    rng = np.random.default_rng(seed)
    loss = rng.lognormal(-2, 1.5, size)
    return Scores(loss, rng.random(size) > np.clip(loss / 3, 0.02, 0.9))


def frame_of(scores, *, labels=None, difficulty=None, seed=0):
    """What a design may know of these rows; the difficulty goes with the loss, but not strictly."""
    size = len(scores)
    rng = np.random.default_rng((seed, 1))
    if difficulty is None:
        difficulty = scores.loss * rng.lognormal(0, 0.5, size)
    found = rng.integers(0, min(3, size), size) if labels is None else labels
    return Frame(
        size=size,
        read_labels=lambda: found,
        guess=lambda: Guess(difficulty, difficulty, -difficulty),
        score=lambda rows: Scores(scores.loss[rows], scores.correct[rows]),
    )


def scored_of(scores, design, batch_size, *, frame=None, drawn=None):
    """All rows scored, or the drawn ones."""
    frame = frame or frame_of(scores)
    own = scores if drawn is None else Scores(scores.loss[drawn], scores.correct[drawn])
    return ScoredUnits(own, Units(len(scores)), design.plan(frame, batch_size), drawn)


def batches(rows, population_size=None):
    """Batches given as they are, with their values; a row a batch."""
    return batches_of(np.asarray(rows, dtype=float), population_size=population_size, with_values=True)
