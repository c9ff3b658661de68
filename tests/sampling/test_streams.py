"""Every random stream keeps its entropy, and none shares numbers with another where that would do harm."""

from itertools import combinations, product

import numpy as np
import pytest

from pipeline.sampling import streams
from pipeline.sampling.streams import (
    BATTERY,
    DIRECTION,
    DRAW,
    EPOCH,
    EVALUATION_ORDER,
    FIRST_WEIGHTS,
    GATE_ORDER,
    GRADIENT_BLOCKS,
    LABELS,
    MODEL,
    ORDERS,
    PILOT,
    PILOTS,
    REDRAWS,
    RESAMPLES,
    SHUFFLE,
    TRAINING_ORDER,
    Stream,
    generator,
    seed_sequence,
)

# A stream, what it is asked for, and the arguments of the SeedSequence that its figures have come from so far.
ENTROPY = [
    (DRAW, {"batch_size": 100, "draw": 3}, (7, 100, 3), ()),
    (EPOCH, {"batch_size": 100, "number": 3}, (7, 100, 3), ()),
    (PILOT, {}, 7, (0,)),
    (SHUFFLE, {"batch_size": 100}, (7, 100, 2_147_483_648), ()),
    (RESAMPLES, {"n": 12, "stratum": 1}, (7, 12, 1), ()),
    (EVALUATION_ORDER, {}, (7, 0, 2), ()),
    (GATE_ORDER, {}, (7, 0, 3), ()),
    (GRADIENT_BLOCKS, {}, (7, 0, 0), ()),
    (BATTERY, {"place": 2, "n": 30}, (7, 0, 4, 2, 30), ()),
    (ORDERS, {}, (7, 0, 5), ()),
    (LABELS, {"number": 2}, (7, 0, 6, 2), ()),
    (PILOTS, {}, (7, 0, 7), ()),
    (DIRECTION, {"index": 5}, (7, 0, 5), ()),
    (FIRST_WEIGHTS, {}, (7, 0, 0), ()),
    (TRAINING_ORDER, {"batch_size": 100}, (7, 100, 0), ()),
    (REDRAWS, {"check": 1}, (7, 1), (1,)),
    (MODEL, {}, 7, ()),
]

# The streams that do share numbers, and why no run is the worse for it. No other two may.
SHARED = {
    ("DRAW", "EPOCH"): "a design draws by the one or by the other",
    ("DRAW", "TRAINING_ORDER"): "study=train draws no batches of a design",
    ("EPOCH", "TRAINING_ORDER"): "study=train draws no batches of a design",
    ("RESAMPLES", "TRAINING_ORDER"): "study=train puts no bootstrap interval around anything",
    ("DRAW", "RESAMPLES"): "SHUFFLE orders the places of a batch, so a place tells nothing of the unit drawn",
    ("EPOCH", "RESAMPLES"): "SHUFFLE orders the places of a batch, so a place tells nothing of the unit drawn",
    ("FIRST_WEIGHTS", "MODEL"): "study=train starts from the weights from which model=mlp of that seed starts",
    ("FIRST_WEIGHTS", "GRADIENT_BLOCKS"): "each is of another study",
    ("DIRECTION", "FIRST_WEIGHTS"): "each is of another study",
    ("DIRECTION", "GRADIENT_BLOCKS"): "each is of another study",
    ("DIRECTION", "EVALUATION_ORDER"): "each is of another study",
    ("DIRECTION", "GATE_ORDER"): "each is of another study",
    ("GRADIENT_BLOCKS", "MODEL"): "an order of the rows and normal weights have nothing in common",
    ("DIRECTION", "MODEL"): "direction 0 is the first weights where the seeds are equal: kept, as figures depend on it",
}

NAMES = {name: stream for name, stream in vars(streams).items() if isinstance(stream, Stream)}


@pytest.mark.parametrize(
    ("stream", "at", "entropy", "spawn_key"), ENTROPY, ids=lambda value: getattr(value, "purpose", "")
)
def test_a_stream_gives_the_numbers_of_its_entropy(stream, at, entropy, spawn_key):
    expected = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=spawn_key))
    assert generator(stream, 7, **at).random(8).tolist() == expected.random(8).tolist()


def test_every_stream_has_its_entropy_pinned():
    assert [stream for stream, *_ in ENTROPY] == list(NAMES.values())
    assert len(set(NAMES.values())) == len(NAMES)


def _states(stream):
    """The states of a stream's generators for a few seeds and every small value of its words."""
    names = sorted(stream.names)
    # A batch, and what is resampled, has one unit at least.
    values = [range(1, 6) if name in ("batch_size", "n") else range(5) for name in names]
    return {
        tuple(seed_sequence(stream, seed, **dict(zip(names, at, strict=True))).generate_state(4).tolist())
        for seed in (0, 1, 2, 3)
        for at in product(*values)
    }


def test_two_streams_share_numbers_only_where_that_does_no_harm():
    states = {name: _states(stream) for name, stream in NAMES.items()}
    shared = {tuple(sorted(pair)) for pair in combinations(NAMES, 2) if states[pair[0]] & states[pair[1]]}
    assert shared == set(SHARED)


@pytest.mark.parametrize("name", NAMES)
def test_one_stream_gives_every_seed_and_place_numbers_of_their_own(name):
    assert len(_states(NAMES[name])) == 4 * 5 ** len(NAMES[name].names)


@pytest.mark.parametrize("at", [{}, {"batch_size": 5}, {"batch_size": 5, "draw": 0, "stratum": 0}])
def test_words_that_are_missing_or_of_another_stream_are_refused(at):
    with pytest.raises(TypeError, match="one draw's batch must be given these words and no others: batch_size, draw"):
        generator(DRAW, 0, **at)
