from itertools import pairwise

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.model.gradient import DIFFERENTIABLE, mean_loss_and_gradients
from pipeline.model.network import Network

WIDTHS = (5, 7, 6, 4)


def problem(labels_as, seed=3):
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(size=s), rng.normal(size=s[1])) for s in pairwise(WIDTHS)]
    labels = rng.integers(0, 4, size=9)
    if labels_as == "one-hot":
        labels = np.eye(4)[labels]
    if labels_as == "soft":
        labels = rng.dirichlet(np.ones(4), size=9)
    return layers, rng.normal(size=(9, 5)), labels


def numerical_gradient(loss, array, step=1e-6):
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = loss()
        array[index] = kept - step
        gradient[index] = (above - loss()) / (2 * step)
        array[index] = kept
    return gradient


@pytest.mark.parametrize("labels_as", ["integers", "one-hot", "soft"])
@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_back_propagation_against_central_differences_of_the_networks_own_cross_entropy(activation, labels_as):
    layers, inputs, labels = problem(labels_as)
    _, gradients = mean_loss_and_gradients(layers, activation, inputs, labels)

    def loss():
        return cross_entropy(Network(layers, activation).logits(inputs), labels).mean()

    for layer, layer_gradients in zip(layers, gradients, strict=True):
        for array, gradient in zip(layer, layer_gradients, strict=True):
            np.testing.assert_allclose(gradient, numerical_gradient(loss, array), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_the_loss_is_the_mean_cross_entropy_and_nothing_given_is_changed(activation):
    layers, inputs, labels = problem("integers")
    copies = [array.copy() for layer in layers for array in layer], inputs.copy()
    loss, _ = mean_loss_and_gradients(layers, activation, inputs, labels)
    wanted = cross_entropy(Network(layers, activation).logits(inputs), labels).mean()
    assert loss == pytest.approx(wanted, rel=1e-12)
    assert all((a == b).all() for a, b in zip(copies[0], (x for layer in layers for x in layer), strict=True))
    assert (copies[1] == inputs).all()


def test_one_hot_labels_give_the_gradients_of_integer_labels():
    layers, inputs, labels = problem("integers")
    _, by_integers = mean_loss_and_gradients(layers, "relu", inputs, labels)
    _, by_one_hot = mean_loss_and_gradients(layers, "relu", inputs, np.eye(4)[labels])
    for (weights, bias), (others, other) in zip(by_integers, by_one_hot, strict=True):
        assert (weights == others).all()
        assert (bias == other).all()


def test_all_work_is_done_in_the_dtype_of_the_weights():
    layers, inputs, labels = problem("soft")
    single = [(weights.astype(np.float32), bias.astype(np.float32)) for weights, bias in layers]
    _, gradients = mean_loss_and_gradients(single, "sigmoid", inputs.astype(np.float32), labels.astype(np.float32))
    assert {array.dtype for layer in gradients for array in layer} == {np.dtype(np.float32)}


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_logits_of_ten_thousand_give_finite_gradients(activation):
    layers, inputs, labels = problem("integers")
    layers[-1] = (layers[-1][0] * 1e4, layers[-1][1])
    loss, gradients = mean_loss_and_gradients(layers, activation, inputs, labels)
    assert np.isfinite(loss)
    assert all(np.isfinite(array).all() for layer in gradients for array in layer)


def test_step_is_refused_because_its_gradient_is_zero():
    layers, inputs, labels = problem("integers")
    with pytest.raises(BadInput, match=r"to be trained; found 'step' \(its gradient is zero"):
        mean_loss_and_gradients(layers, "step", inputs, labels)
