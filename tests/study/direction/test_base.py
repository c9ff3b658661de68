"""What every direction keeps to: shapes and dtype of the network, finite, with a length; and the step along it."""

from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.model.network import Network
from pipeline.study.direction.base import Direction, as_network, length, moved

RNG = np.random.default_rng(3)
LAYERS = [
    (RNG.normal(size=(4, 3)).astype("f4"), RNG.normal(size=3).astype("f4")),
    (RNG.normal(size=(3, 2)).astype("f4"), RNG.normal(size=2).astype("f4")),
]
STEPS = [(np.full_like(W, 2), np.full_like(b, -1)) for W, b in LAYERS]
NETWORK = Network(LAYERS, "relu")


@dataclass
class Of(Direction):
    """A direction that is given as numbers."""

    name: str = "of"
    layers: tuple = ()

    def _layers(self, network, stages):
        return self.layers

    def _why_zero(self):
        return "zeros: give other numbers"

    def described(self, network, stages):
        return "numbers"

    def unit(self):
        return "one"

    def reach(self, network, layers, stages):
        return -1.0, 1.0


def test_a_direction_comes_in_the_dtype_of_the_networks_own_parameters():
    wide = [(dW.astype(np.float64), db.astype(np.float64)) for dW, db in STEPS]
    found = Of(layers=wide).of(NETWORK, None)
    for (dW, db), (own_dW, own_db) in zip(found, STEPS, strict=True):
        assert dW.dtype == db.dtype == np.float32
        np.testing.assert_array_equal(dW, own_dW)
        np.testing.assert_array_equal(db, own_db)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_numbers_that_are_not_finite_in_that_dtype_are_refused(bad):
    layers = [(np.full(W.shape, bad), b) for W, b in STEPS]
    with pytest.raises(BadInput, match=r"^the direction of must be of finite numbers; found NaN or infinity"):
        Of(layers=layers).of(NETWORK, None)


def test_a_direction_without_a_length_is_refused_with_its_own_reason():
    zeros = [(0 * W, 0 * b) for W, b in STEPS]
    with pytest.raises(BadInput, match=r"^the direction of must have a length; found zeros: give other numbers$"):
        Of(layers=zeros).of(NETWORK, None)


def test_a_model_that_is_no_network_has_no_direction():
    with pytest.raises(BadInput, match=r"^a direction needs a model whose weights can be moved; found a Of: choose"):
        Of(layers=STEPS).of(Of(), None)
    assert as_network(NETWORK) is NETWORK


@pytest.mark.parametrize("alpha", [0.0, 0.5, -3.0])
def test_a_step_moves_every_weight_and_bias_by_alpha_times_the_direction(alpha):
    found = moved(NETWORK, STEPS, alpha)
    assert found.activation == "relu"
    for (W, b), (own_W, own_b) in zip(found.layers, LAYERS, strict=True):
        np.testing.assert_allclose(W, own_W + alpha * 2, rtol=1e-6)
        np.testing.assert_allclose(b, own_b - alpha, rtol=1e-6)
        assert W.dtype == b.dtype == np.float32


def test_no_step_leaves_the_network_as_it_is_and_the_first_one_is_not_changed_by_a_step():
    before = NETWORK.digest
    assert moved(NETWORK, STEPS, 0.0).digest == before
    assert moved(NETWORK, STEPS, 1.0).digest != before
    assert NETWORK.digest == before


@pytest.mark.parametrize("alpha", [float("nan"), float("inf")])
def test_a_step_that_is_no_finite_number_is_refused(alpha):
    with pytest.raises(BadInput, match=r"^a step along a direction must be a finite number; found (nan|inf)$"):
        moved(NETWORK, STEPS, alpha)


def test_weights_that_a_step_makes_infinite_are_refused():
    with pytest.raises(BadInput):
        moved(NETWORK, STEPS, 1e39)


def test_the_length_is_the_euclidean_norm_of_all_parameters_together():
    every = np.concatenate([array.ravel() for layer in LAYERS for array in layer]).astype(np.float64)
    assert length(LAYERS) == pytest.approx(np.linalg.norm(every), rel=1e-12)
    assert length(STEPS) == pytest.approx(np.sqrt(4 * (12 + 6) + 3 + 2))
