import itertools

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.model.network import ACTIVATIONS, Network
from pipeline.scoring.rows import score
from pipeline.study.direction.base import moved
from pipeline.study.direction.walk import Walk, scores_along


def network_of(widths, activation, seed=0):
    rng = np.random.default_rng(seed)
    pairs = itertools.pairwise(widths)
    return Network(
        [(rng.normal(size=pair).astype("f4"), rng.normal(size=pair[1]).astype("f4")) for pair in pairs], activation
    )


def moves_of(network, layers=None, seed=1):
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=W.shape).astype("f4"), rng.normal(size=b.shape).astype("f4"))
        if layers is None or i in layers
        else (np.zeros_like(W), np.zeros_like(b))
        for i, (W, b) in enumerate(network.layers)
    ]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", [(8, 3), (8, 5, 3), (8, 6, 5, 3)])
@pytest.mark.parametrize("n_directions", [1, 2])
def test_its_logits_are_those_of_the_moved_network(activation, widths, n_directions):
    network = network_of(widths, activation)
    stored = np.random.default_rng(2).integers(0, 256, size=(40, 8), dtype=np.uint8)
    moves = [moves_of(network, seed=seed) for seed in range(n_directions)]
    walk = Walk(network, stored, 1 / 255, moves)
    for steps in ((0.3, -0.2), (-1.5, 0.7), (0.0, 0.0)):
        expected = network
        for move, step in zip(moves, steps, strict=False):
            expected = moved(expected, move, step)
        found = walk.logits(steps[:n_directions])
        np.testing.assert_allclose(found, expected.from_stored(1 / 255)(stored), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_direction_of_one_layer_alone(layer):
    network = network_of((8, 6, 5, 3), "sigmoid")
    stored, move = np.random.default_rng(2).random((40, 8), dtype="f4"), moves_of(network, {layer})
    found = Walk(network, stored, 1.0, [move]).logits([0.8])
    np.testing.assert_allclose(found, moved(network, move, 0.8).logits(stored), rtol=1e-4, atol=1e-5)


def test_scores_are_those_of_each_moved_network_and_rows_keep_their_order(stages_of):
    stages = stages_of()
    network, rows = stages.classifier, np.array([5, 3, 3, 999, 0])
    move = [(W, b) for W, b in network.layers]
    steps = np.array([[-0.5], [0.0], [0.25]])
    all_rows = scores_along(network, stages.rows, [move], steps)
    some = scores_along(network, stages.rows, [move], steps, rows)
    for i, (step,) in enumerate(steps):
        expected = score(moved(network, move, step), stages.rows)
        np.testing.assert_allclose(all_rows[0][i], expected.loss, rtol=1e-4, atol=1e-6)
        assert (all_rows[1][i] == expected.correct).mean() > 0.999
        np.testing.assert_allclose(some[0][i], all_rows[0][i][rows], rtol=1e-5, atol=1e-7)


def test_weights_that_get_too_large_are_refused_with_the_point_named(stages_of):
    stages = stages_of()
    move = [(np.full_like(W, 1e30), np.zeros_like(b)) for W, b in stages.classifier.layers]
    with pytest.raises(BadInput, match=r"found none such at α = 5: choose study\.low and study\.high nearer to 0"):
        scores_along(stages.classifier, stages.rows, [move], np.array([[0.0], [5.0]]))
