from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import BadInput
from pipeline.model.network import ACTIVATIONS, Network

FORMULAS = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.where(z > 0, z, 0),
    "tanh": np.tanh,
    "step": lambda z: (z > 0).astype(float),
}


def layers_of(widths, seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=pair).astype(dtype), rng.normal(size=pair[1]).astype(dtype)) for pair in pairwise(widths)]


def by_formula(layers, activation, inputs):
    values = inputs.astype(np.float64)
    for weights, bias in layers[:-1]:
        values = FORMULAS[activation](values @ weights.astype(np.float64) + bias.astype(np.float64))
    return values @ layers[-1][0].astype(np.float64) + layers[-1][1].astype(np.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", [(6, 3), (6, 5, 3), (6, 5, 7, 4, 3)])
def test_logits_are_those_of_the_formula_in_float64(activation, widths):
    layers = layers_of(widths, dtype=np.float64)
    inputs = np.random.default_rng(1).normal(size=(20, 6))
    np.testing.assert_allclose(
        Network(layers, activation).logits(inputs), by_formula(layers, activation, inputs), rtol=1e-12, atol=1e-12
    )


@given(widths=st.lists(st.integers(1, 9), min_size=2, max_size=5), n=st.integers(0, 9), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_float32_logits_are_within_rounding_of_float64_at_any_depth(widths, n, seed):
    layers = layers_of(widths, seed)
    inputs = np.random.default_rng(seed).normal(size=(n, widths[0])).astype(np.float32)
    for activation in ("sigmoid", "relu", "tanh"):
        logits = Network(layers, activation).logits(inputs)
        assert logits.dtype == np.float32
        assert logits.shape == (n, widths[-1])
        wanted = by_formula(layers, activation, inputs)
        np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-4 * (1 + np.abs(wanted).max(initial=0)))


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
def test_8_bit_pixels_with_the_scale_in_w1_give_the_logits_of_scaled_pixels(activation):
    network = Network(layers_of((12, 8, 5)), activation)
    pixels = np.random.default_rng(2).integers(0, 256, size=(30, 12), dtype=np.uint8)
    scaled = (pixels / 255).astype(np.float32)
    np.testing.assert_allclose(network.from_stored(1 / 255)(pixels), network.logits(scaled), rtol=1e-4, atol=1e-5)


def test_step_is_1_above_0_and_0_at_0_and_below():
    network = Network([(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))] * 2, "step")
    assert network.logits(np.array([[-1.0, 0.0, 1e-9]], np.float32)).tolist() == [[0.0, 0.0, 1.0]]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_large_inputs_give_finite_logits_and_no_warning(activation):
    inputs = np.array([[1e4] * 6, [-1e4] * 6, [1e20] * 6], np.float32)
    assert np.isfinite(Network(layers_of((6, 5, 4, 3)), activation).logits(inputs)).all()


def test_the_transpose_of_the_logits_is_contiguous_so_that_the_loss_need_not_copy_them():
    assert Network(layers_of((6, 5, 3)), "relu").logits(np.ones((7, 6), np.float32)).T.flags.c_contiguous


def test_inputs_are_left_as_they_were():
    inputs = np.ones((4, 6), np.float32)
    Network(layers_of((6, 3)), "relu").logits(inputs)
    assert (inputs == 1).all()


def test_weights_are_a_locked_copy_and_the_digest_tells_every_change():
    layers = layers_of((6, 5, 3))
    network = Network(layers, "relu")
    kept = network.layers[0][0][0, 0]
    layers[0][0][0, 0] += 1
    assert network.layers[0][0][0, 0] == kept
    with pytest.raises(ValueError, match="read-only"):
        network.layers[0][0][0, 0] = 5
    digests = {network.digest, Network(layers, "relu").digest, Network(layers, "tanh").digest}
    assert len(digests) == 3
    assert Network(network.layers, "relu").digest == network.digest


def test_a_bias_of_one_row_is_taken_as_a_vector():
    ((weights, bias),) = layers_of((6, 3))
    network = Network([(weights, bias[None])], "relu")
    assert network.layers[0][1].shape == (3,)


W, B = np.ones((6, 5), np.float32), np.ones(5, np.float32)
BAD_LAYERS = {
    "none": ([], "at least one layer"),
    "chain": ([(W, B), (W, B)], r"W2 must take the 5 outputs of W1; found W2 of shape \(6, 5\)"),
    "bias": ([(W, np.ones(4, np.float32))], r"b1 must have the shape \(5,\).*found \(4,\)"),
    "vector": ([(B, B)], r"W1 must have the shape \(inputs, outputs\).*found \(5,\)"),
    "empty": ([(np.ones((6, 0), np.float32), np.ones(0, np.float32))], r"neither 0; found \(6, 0\)"),
    "nan": ([(np.full_like(W, np.nan), B)], "finite number; found NaN or infinity in W1"),
    "infinite": ([(W, np.full_like(B, np.inf))], "finite number; found NaN or infinity in b1"),
    "integer": ([(W.astype(int), B)], "W1 must be float32 or float64; found int64"),
    "complex": ([(W, B.astype(complex))], "b1 must be float32 or float64; found complex128"),
}


@pytest.mark.parametrize(("layers", "message"), BAD_LAYERS.values(), ids=list(BAD_LAYERS))
def test_weights_that_make_no_network_are_refused_in_one_line(layers, message):
    with pytest.raises(BadInput, match=message) as found:
        Network(layers, "relu")
    assert "\n" not in str(found.value)


def test_an_unknown_activation_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match=r"one of sigmoid, relu, tanh, step; found 'swish'"):
        Network([(W, B)], "swish")
