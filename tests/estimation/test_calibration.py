import numpy as np
import pytest
from scipy import special

from pipeline.estimation.calibration import Calibration, calibrated, class_losses


def drawn(rng, n, k, *, temperature, noise):
    """Logits, and labels that follow softmax(z/temperature) but for a share that says nothing."""
    logits = 3 * rng.standard_normal((n, k))
    chances = special.softmax(logits / temperature, axis=1).cumsum(axis=1)
    labels = np.minimum((chances < rng.random((n, 1))).sum(axis=1), k - 1)
    return logits, np.where(rng.random(n) < noise, rng.integers(0, k, n), labels)


@pytest.mark.parametrize(("temperature", "noise"), [(0.5, 0.05), (1.0, 0.02), (3.0, 0.02)])
def test_temperature_and_noise_are_found_again(temperature, noise):
    logits, labels = drawn(np.random.default_rng(0), 8_000, 5, temperature=temperature, noise=noise)
    found = calibrated(logits, labels)
    assert found.temperature == pytest.approx(temperature, rel=0.15)
    assert found.noise == pytest.approx(noise, abs=0.02)


def test_without_labels_the_model_is_taken_at_its_word():
    assert calibrated(np.empty((0, 3)), np.empty(0, dtype=np.int64)).temperature == 1


def test_what_is_expected_is_what_labels_drawn_so_have_on_average():
    rng = np.random.default_rng(1)
    logits = 2 * rng.standard_normal((1, 4))
    calibration = Calibration(temperature=1.7, noise=0.1)
    chances = 0.9 * special.softmax(logits / 1.7, axis=1)[0] + 0.1 / 4
    losses, wrong = -special.log_softmax(logits, axis=1)[0], np.arange(4) != logits.argmax()
    expected = calibration.expected(logits)
    assert expected.loss[0] == pytest.approx(chances @ losses)
    assert expected.loss_variance[0] == pytest.approx(chances @ losses**2 - (chances @ losses) ** 2)
    assert expected.error[0] == pytest.approx(chances @ wrong)
    assert expected.error_variance[0] == pytest.approx(expected.error[0] * (1 - expected.error[0]))


def test_rows_chosen_by_their_errors_are_weighted_back():
    """Rows that are wrong come up four times as often: without weights the model would look over-confident."""
    rng = np.random.default_rng(2)
    logits, labels = drawn(rng, 40_000, 5, temperature=1.0, noise=0.0)
    chances = np.where(logits.argmax(axis=1) == labels, 0.1, 0.4)
    kept = rng.random(len(labels)) < chances
    plain = calibrated(logits[kept], labels[kept])
    weighted = calibrated(logits[kept], labels[kept], 1 / chances[kept])
    assert weighted.temperature == pytest.approx(1, abs=0.1)
    assert plain.temperature > 1.2


def test_a_class_held_impossible_stays_finite():
    outputs = np.array([[0.0, -np.inf], [-np.inf, 0.0]])
    assert np.isfinite(Calibration().expected(outputs).loss).all()
    assert class_losses(outputs).max() == 50
