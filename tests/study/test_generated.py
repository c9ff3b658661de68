import numpy as np
import pytest

from pipeline.study.generated import POPULATIONS, SoftmaxModel, lognormal


def losses(name, size=4_000):
    return POPULATIONS[name](np.random.default_rng(3), size)


@pytest.mark.parametrize("name", list(POPULATIONS))
def test_losses_are_finite_not_negative_as_many_as_asked_and_the_same_for_a_seed(name):
    found = losses(name, 300)
    assert found.shape == (300,)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    np.testing.assert_array_equal(found, losses(name, 300))


def test_a_calibrated_models_loss_is_its_mean_entropy_and_any_other_scale_costs_more():
    calibrated, over, under = (losses(name).mean() for name in list(POPULATIONS)[:3])
    assert calibrated < over
    assert calibrated < under


def test_random_labels_cost_what_their_share_says():
    clean, noisy = (SoftmaxModel(noise=share)(np.random.default_rng(0), 20_000) for share in (0.0, 0.05))
    # A loss above 5 nats is a label that the model holds for less likely than 1 in 150.
    assert (clean > 5).mean() == pytest.approx(0.008, abs=0.005)
    assert (noisy > 5).mean() - (clean > 5).mean() == pytest.approx(0.05 * 0.9 * 0.85, abs=0.01)


@pytest.mark.parametrize("accuracy", [0.52, 0.95, 0.999])
def test_a_loss_below_ln_2_is_a_right_answer_so_that_the_accuracy_bounds_its_share(accuracy):
    found = SoftmaxModel(accuracy=accuracy)(np.random.default_rng(1), 20_000)
    assert (found < np.log(2)).mean() <= accuracy + 0.01


def test_the_lognormal_losses_have_the_variance_of_the_logarithm_that_they_are_said_to_have():
    assert np.log(lognormal(np.random.default_rng(0), 50_000)).std() == pytest.approx(1.8, rel=0.02)
