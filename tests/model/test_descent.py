"""Mini-batch gradient descent against a loop a row, and its budgets."""

import itertools
import math

import numpy as np
import pytest

from pipeline.loss import cross_entropy
from pipeline.model import training
from pipeline.model.descent import Budget, Work, descend
from pipeline.model.network import Network
from pipeline.records.rows import Dataset
from pipeline.sampling.streams import FIRST_WEIGHTS, TRAINING_ORDER, generator


@pytest.fixture(scope="module")
def stripes():
    """Rows of 6 pixels; the class is the brighter half."""
    pixels = np.random.default_rng(4).integers(0, 256, size=(120, 6), dtype=np.uint8)
    labels = (pixels[:, :3].sum(axis=1, dtype=int) < pixels[:, 3:].sum(axis=1, dtype=int)).astype(np.int64)
    return Dataset(pixels, labels, n_classes=2, scale=1 / 255, name="stripes", digest="stripes")


@pytest.fixture
def work_of(stripes):
    """A function from what varies to what is trained."""

    def build(kind="steps", size=12, *, hidden=(8,), batch_size=20):
        start = training.initial_layers([6, *hidden, 2], "tanh", generator(FIRST_WEIGHTS, 0))
        return Work(stripes, start, "tanh", batch_size, 0, Budget(kind, size))

    return build


def naive_step(layers, inputs, labels, rate):
    """Tanh network, one loop a row: the mean loss, the share right, and the weights after the step."""
    changes = [(np.zeros(w.shape), np.zeros(b.shape)) for w, b in layers]
    losses, right = [], []
    (w1, b1), (w2, b2) = [(w.astype(np.float64), b.astype(np.float64)) for w, b in layers]
    for x, label in zip(inputs, labels, strict=True):
        h = np.tanh(x @ w1 + b1)
        z = h @ w2 + b2
        p = np.exp(z) / np.exp(z).sum()
        losses.append(-math.log(p[label]))
        right.append(z.argmax() == label)
        d2 = p - np.eye(len(p))[label]
        d1 = (w2 @ d2) * (1 - h * h)
        for (dw, db), below, delta in zip(changes, (x, h), (d1, d2), strict=True):
            dw += np.outer(below, delta) / len(inputs)
            db += delta / len(inputs)
    after = [(w - rate * dw, b - rate * db) for (w, b), (dw, db) in zip(layers, changes, strict=True)]
    return np.mean(losses), np.mean(right), after


def test_each_step_is_the_hand_made_update_and_its_batch_is_judged_by_the_weights_before_it(work_of):
    work = work_of(size=4)
    run = descend(work, 0.5)
    kept = {step: layers for step, _, layers in run.kept}
    assert list(kept) == [0, 1, 2, 3, 4]
    batches = training.batches_in_passes(120, 20, generator(TRAINING_ORDER, 0, batch_size=20))
    for (step, _, loss, accuracy), rows in zip(run.batches, itertools.islice(batches, 4), strict=True):
        before = kept[step - 1]
        inputs = work.train.inputs[rows] / 255
        expected_loss, expected_accuracy, after = naive_step(before, inputs, work.train.labels[rows], 0.5)
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        logits = Network(before, "tanh").logits(inputs.astype(np.float32))
        assert loss == pytest.approx(cross_entropy(logits, work.train.labels[rows]).mean(), rel=1e-5)
        assert accuracy == expected_accuracy
        for layer, expected in zip(kept[step], after, strict=True):
            for array, wanted in zip(layer, expected, strict=True):
                np.testing.assert_allclose(array, wanted, rtol=1e-4, atol=1e-6)


def test_batches_are_cut_from_passes_in_which_every_row_comes_up_once():
    batches = training.batches_in_passes(10, 4, np.random.default_rng(0))
    rows = np.concatenate([next(batches) for _ in range(5)])
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))
    assert list(rows[:10]) != list(rows[10:])
    everything = training.batches_in_passes(10, 10, np.random.default_rng(0))
    assert all(sorted(next(everything)) == list(range(10)) for _ in range(3))


class Clock:
    """Half a second passes between any two looks."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.5
        return self.now


@pytest.mark.parametrize(
    ("kind", "size", "steps"),
    [
        ("steps", 7, 7),
        ("steps", 7.9, 7),
        ("examples", 140, 7),
        ("examples", 159, 7),
        ("seconds", 3.5, 7),
        ("seconds", 3.1, 7),
    ],
)
def test_each_kind_of_budget_is_held(work_of, kind, size, steps):
    run = descend(work_of(kind, size), 0.1, clock=Clock())
    assert run.steps == steps
    assert run.seconds == pytest.approx(0.5 * steps)
    assert run.kept[-1][0] == steps


@pytest.mark.parametrize("size", [30, 3_000, 9_000])
def test_evaluations_and_recorded_batches_are_few_however_long_the_training(work_of, size):
    run = descend(work_of(size=size, hidden=(2,), batch_size=2), 0.01)
    steps = [step for step, *_ in run.batches]
    assert len(steps) == len(set(steps)) <= 2000
    assert len(set(np.diff(steps))) == 1
    assert steps[-1] > size - 8
    evaluated = [step for step, *_ in run.kept]
    assert evaluated[0] == 0
    assert evaluated[-1] == size
    assert len(evaluated) <= 62
    # A target is met at most 15 % of the steps, or a step, or a twentieth of the budget after it could be seen.
    late = [step for step in evaluated if step > 0.001 * size]
    assert all(
        after - before <= max(1.16 * before - before + 1, 0.05 * size + 1) for before, after in itertools.pairwise(late)
    )
