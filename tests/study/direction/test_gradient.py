import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pipeline.errors import BadInput
from pipeline.model.network import Network
from pipeline.scoring.rows import score
from pipeline.study.direction.base import length, moved
from pipeline.study.direction.gradient import Gradient, _descent


def in_float64(network):
    return Network([(W.astype(float), b.astype(float)) for W, b in network.layers], network.activation)


def test_it_is_the_negative_gradient_against_central_differences(stages_of):
    stages = stages_of()
    network = in_float64(stages.classifier)
    direction = Gradient().of(network, stages)
    train = stages.experiment.data.load_split("train")
    rng = np.random.default_rng(1)
    for layer, part in ((0, 0), (0, 1), (1, 0), (1, 1)):
        # Units that are never active have a gradient of zero: the largest entries are looked at.
        largest = np.argsort(np.abs(direction[layer][part]), axis=None)[-20:]
        for flat in rng.choice(largest, 3):
            unit = [(np.zeros_like(W), np.zeros_like(b)) for W, b in network.layers]
            unit[layer][part].flat[flat] = 1.0
            ahead, behind = (score(moved(network, unit, h), train).loss.mean() for h in (1e-5, -1e-5))
            assert direction[layer][part].flat[flat] == pytest.approx(-(ahead - behind) / 2e-5, rel=1e-3, abs=1e-8)


def test_a_small_step_along_it_lowers_the_train_loss_by_its_squared_length(stages_of):
    stages = stages_of()
    network = in_float64(stages.classifier)
    direction, step = Gradient().of(network, stages), 1e-3
    train = stages.experiment.data.load_split("train")
    fall = score(network, train).loss.mean() - score(moved(network, direction, step), train).loss.mean()
    assert fall == pytest.approx(step * length(direction) ** 2, rel=1e-2)


def test_it_is_the_same_to_the_last_bit_with_any_number_of_threads_of_blas(stages_of):
    stages = stages_of()
    train = stages.experiment.data.load_split("train")
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            found.append(_descent(stages.classifier, train))
    for other in found[1:]:
        for own, layer in zip(found[0], other, strict=True):
            for array, again in zip(own, layer, strict=True):
                np.testing.assert_array_equal(array, again)


def test_the_population_itself_can_be_the_split(stages_of):
    stages = stages_of()
    test, train = (Gradient(split=split).of(stages.classifier, stages) for split in ("test", "train"))
    assert not np.allclose(test[0][0], train[0][0])


def test_a_step_activation_has_no_gradient(stages_of):
    stages = stages_of()
    with pytest.raises(BadInput, match="found 'step', whose gradient is zero: choose study/direction=random or weight"):
        Gradient().of(Network(stages.classifier.layers, "step"), stages)


def test_weights_whose_gradient_is_no_number_are_refused(stages_of):
    stages = stages_of()
    huge = Network([(np.full_like(W, 3e38), b) for W, b in stages.classifier.layers], "relu")
    with pytest.raises(BadInput, match="must be of finite numbers; found NaN or infinity"):
        Gradient().of(huge, stages)


def test_an_unknown_split_is_refused():
    with pytest.raises(BadInput, match="must be one of train, test"):
        Gradient(split="validation")
