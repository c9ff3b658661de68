from itertools import pairwise

import numpy as np
import pytest

from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput
from pipeline.model.gradient import DIFFERENTIABLE, mean_loss_and_gradients
from pipeline.model.gradient_norms import gradient_norms
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.records.rows import Dataset
from pipeline.study.gradient_noise import noise_scale

WIDTHS = (12, 7, 6, 4)
LABELS = pytest.mark.parametrize("labels_as", ["integers", "one-hot", "soft"])


def problem(labels_as="integers", *, activation="sigmoid", dtype=np.float64, n=23):
    rng = np.random.default_rng(5)
    layers = [(rng.normal(size=s).astype(dtype), rng.normal(size=s[1]).astype(dtype)) for s in pairwise(WIDTHS)]
    labels = rng.integers(0, 4, size=n)
    if labels_as == "one-hot":
        labels = np.eye(4, dtype=np.float32)[labels]
    if labels_as == "soft":
        labels = rng.dirichlet(np.ones(4), size=n).astype(np.float32)
    pixels = rng.integers(0, 256, size=(n, WIDTHS[0]), dtype=np.uint8)
    return Network(layers, activation), Dataset(pixels, labels, 4, 1 / 255, "made up", "")


def groups_of(dataset, k=4):
    return np.array_split(np.random.default_rng(0).permutation(len(dataset)), k)


def one_row_at_a_time(network, dataset):
    """Every row's gradient by layer, each from a batch of that row alone."""
    found = []
    for row in range(len(dataset)):
        inputs = dataset.inputs[row : row + 1] * dataset.scale
        labels = dataset.labels[row : row + 1]
        _, gradients = mean_loss_and_gradients(network.layers, network.activation, inputs, labels)
        found.append([np.concatenate([weights.ravel(), bias]) for weights, bias in gradients])
    return [np.stack(layer) for layer in zip(*found, strict=True)]


@LABELS
@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_the_norms_and_the_mean_against_a_plain_loop_over_the_rows(activation, labels_as):
    network, dataset = problem(labels_as, activation=activation)
    norms = gradient_norms(network, dataset, groups_of(dataset))
    loop = one_row_at_a_time(network, dataset)
    np.testing.assert_allclose(norms.squared, np.stack([(g**2).sum(axis=1) for g in loop], axis=1), rtol=1e-10)
    for (weights, bias), own in zip(norms.mean, loop, strict=True):
        np.testing.assert_allclose(np.concatenate([weights.ravel(), bias]), own.mean(axis=0), rtol=1e-9, atol=1e-14)


def test_the_products_are_those_of_the_groups_sums():
    network, dataset = problem()
    groups = groups_of(dataset)
    norms = gradient_norms(network, dataset, groups)
    for products, own in zip(norms.products, one_row_at_a_time(network, dataset), strict=True):
        sums = np.stack([own[rows].sum(axis=0) for rows in groups])
        np.testing.assert_allclose(products, sums @ sums.T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("block", [1, 2, 5, 1000])
def test_the_block_size_changes_nothing(block):
    network, dataset = problem("soft")
    whole, parts = (gradient_norms(network, dataset, groups_of(dataset), block=b) for b in (1024, block))
    np.testing.assert_allclose(parts.squared, whole.squared, rtol=1e-12)
    np.testing.assert_allclose(parts.products, whole.products, rtol=1e-10, atol=1e-13)


def test_a_row_that_a_float32_network_is_sure_of_keeps_the_digits_of_its_gradient():
    network, dataset = problem()
    sharp = [*network.layers[:-1], (network.layers[-1][0] * 30, network.layers[-1][1])]
    labels = Network(sharp, "sigmoid").logits(dataset.inputs / 255).argmax(axis=1)
    dataset = Dataset(dataset.inputs, labels, 4, dataset.scale, "made up", "")
    wide, narrow = (
        gradient_norms(
            Network([(w.astype(d), b.astype(d)) for w, b in sharp], "sigmoid"), dataset, groups_of(dataset)
        ).squared
        for d in (np.float64, np.float32)
    )
    assert 1e-30 < wide.sum(axis=1).min() < 1e-13
    np.testing.assert_allclose(narrow, wide, rtol=1e-2)


def test_the_known_figures_of_the_books_network_on_mnist(mnist_root, book_network):
    data = Mnist(split="train", root=str(mnist_root))
    dataset, network = data.load(), Npz(path=str(book_network)).build(data)
    noise = noise_scale(gradient_norms(network, dataset, groups_of(dataset, 40)), 0.95)
    assert noise.plain == pytest.approx(29_289, abs=1)
    assert noise.debiased == pytest.approx(57_224, abs=1)
    assert noise.low < noise.debiased < noise.high


def test_a_row_whose_gradient_is_not_finite_is_named():
    network, dataset = problem(dtype=np.float32)
    huge = Network([*network.layers[:-1], (np.full((6, 4), 3e38, np.float32), network.layers[-1][1])], "sigmoid")
    with pytest.raises(BadInput, match=r"must be finite; found 23 of 23 that are not, first in row 0"):
        gradient_norms(huge, dataset, groups_of(dataset))


def test_step_is_refused():
    network, dataset = problem(activation="step")
    with pytest.raises(BadInput, match="its gradient is zero"):
        gradient_norms(network, dataset, groups_of(dataset))
