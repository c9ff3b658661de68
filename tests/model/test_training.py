"""Training: updates against their formulas, batches against a count, and a loss with its minimum in closed form."""

import math

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.model.gradient import mean_loss_and_gradients
from pipeline.model.training import Adam, GradientDescent, Recipe, batches_in_passes, initial_layers, take_step, train
from pipeline.records.rows import Dataset

RECIPE = Recipe((5,), "tanh", 3, 0, 8, 0.01, 0.1, 4)


def dataset_of(n=40, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 3)).astype(np.float32)
    return Dataset(inputs, (inputs[:, 0] > 0).astype(np.int64), 2, 1.0, "made", f"made {seed} {n}")


@pytest.mark.parametrize(
    ("size", "epochs", "min_steps", "batch_size"), [(40, 3, 0, 8), (40, 3, 100, 8), (41, 1, 7, 20)]
)
def test_the_passes_are_the_fewest_that_reach_both_epochs_and_steps(size, epochs, min_steps, batch_size):
    found = Recipe((), "relu", epochs, min_steps, batch_size, 0.1, 0.0, 0).n_epochs(size)
    steps = math.ceil(size / batch_size)
    assert found >= epochs
    assert found * steps >= min_steps
    assert found == epochs or (found - 1) * steps < min_steps


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2), ("tanh", 1), ("sigmoid", 1)])
def test_first_weights_have_the_published_variance_and_zero_biases(activation, gain):
    layers = initial_layers([400, 300, 10], activation, np.random.default_rng(0))
    for weights, bias in layers:
        n_in = len(weights)
        assert weights.dtype == bias.dtype == np.float32
        assert not bias.any()
        # The variance of m normal numbers has a relative standard error of √(2/m).
        assert weights.var() == pytest.approx(gain / n_in, rel=4 * math.sqrt(2 / weights.size))


def test_gradient_descent_steps_by_the_rate_times_the_gradient():
    layers = [(np.ones((2, 2)), np.ones(2))]
    GradientDescent(layers, learning_rate=0.5).step([(np.full((2, 2), 3.0), np.array([1.0, -1.0]))])
    assert layers[0][0].tolist() == [[-0.5, -0.5], [-0.5, -0.5]]
    assert layers[0][1].tolist() == [0.5, 1.5]


def test_adams_steps_against_the_published_algorithm_in_its_plain_order():
    rng, steps = np.random.default_rng(1), 5
    weights, bias = rng.normal(size=(3, 2)), rng.normal(size=2)
    layers, expected = [(weights.copy(), bias.copy())], [weights.copy(), bias.copy()]
    adam = Adam(layers, learning_rate=0.1, weight_decay=0.3, steps=steps)
    means, squares = [0.0, 0.0], [0.0, 0.0]
    for t in range(1, steps + 1):
        gradients = [rng.normal(size=(3, 2)), rng.normal(size=2)]
        rate = 0.1 * (1 - (t - 1) / steps)
        for i, gradient in enumerate(gradients):
            means[i] = 0.9 * means[i] + 0.1 * gradient
            squares[i] = 0.999 * squares[i] + 0.001 * gradient**2
            decay = 1 - rate * 0.3 if i == 0 else 1.0
            corrected = means[i] / (1 - 0.9**t), squares[i] / (1 - 0.999**t)
            # The efficient order of the paper's section 2 adds ε before the correction of the second moment.
            epsilon = 1e-8 / math.sqrt(1 - 0.999**t)
            expected[i] = expected[i] * decay - rate * corrected[0] / (np.sqrt(corrected[1]) + epsilon)
        adam.step([(gradients[0].copy(), gradients[1].copy())])
    np.testing.assert_allclose(layers[0][0], expected[0], rtol=1e-10)
    np.testing.assert_allclose(layers[0][1], expected[1], rtol=1e-10)


def test_a_step_is_taken_by_the_gradient_of_the_batchs_scaled_rows_and_returns_the_loss_before_it():
    dataset = dataset_of()
    halved = Dataset(dataset.inputs * 2, dataset.labels, 2, 0.5, "halved", "h")
    layers = initial_layers([3, 2], "relu", np.random.default_rng(0))
    rows = np.array([5, 1, 30])
    loss, ((weights, bias),) = mean_loss_and_gradients(layers, "relu", dataset.inputs[rows], dataset.labels[rows])
    expected = layers[0][0] - 0.1 * weights, layers[0][1] - 0.1 * bias
    found = take_step(layers, "relu", halved, rows, GradientDescent(layers, learning_rate=0.1))
    assert found == pytest.approx(loss)
    np.testing.assert_allclose(layers[0][0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(layers[0][1], expected[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("size", "batch_size"), [(10, 4), (7, 7), (9, 1), (12, 5)])
def test_batches_of_passes_hold_every_row_equally_often(size, batch_size):
    batches = batches_in_passes(size, batch_size, np.random.default_rng(0))
    drawn = np.concatenate([next(batches) for _ in range(size)])
    assert np.bincount(drawn, minlength=size).tolist() == [batch_size] * size
    assert all(len(set(drawn[i : i + size])) == size for i in range(0, len(drawn), size))


def test_softmax_regression_on_inputs_that_tell_nothing_finds_the_entropy_of_the_labels():
    # Without a signal the best logits are the logarithms of the classes' shares, and the loss is their entropy.
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    dataset = Dataset(np.zeros((100, 2), np.float32), labels, 3, 1.0, "constant", "constant")
    network = train(dataset, Recipe((), "relu", 400, 0, 100, 0.1, 0.0, 0), on_epoch=lambda *_: None)
    entropy = -sum(p * math.log(p) for p in (0.5, 0.3, 0.2))
    assert network.learning_curve.loss[-1] == pytest.approx(entropy, abs=1e-5)
    assert network.learning_curve.accuracy[-1] == 0.5


def test_every_epoch_is_reported_and_has_an_entry_in_the_curve():
    told = []
    network = train(dataset_of(), RECIPE, on_epoch=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert len(network.learning_curve.batch_loss) == 3


def test_another_seed_trains_another_network_and_the_same_seed_the_same():
    one, same, other = (
        train(dataset_of(), Recipe((5,), "tanh", 3, 0, 8, 0.01, 0.1, seed), on_epoch=lambda *_: None).digest
        for seed in (4, 4, 5)
    )
    assert one == same != other


def test_a_loss_that_is_no_longer_finite_is_refused_with_the_learning_rate():
    recipe = Recipe((5,), "relu", 3, 0, 8, 1e30, 0.0, 0)
    with pytest.raises(
        BadInput, match=r"^training must keep the loss finite; found .* with model\.learning_rate=1e\+30"
    ):
        train(dataset_of(), recipe, on_epoch=lambda *_: None)
