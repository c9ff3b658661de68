import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.study.direction.random import Random


def test_every_units_weights_have_the_length_they_have_in_the_network_and_biases_stay(stages_of):
    stages = stages_of()
    for (dW, db), (W, _) in zip(Random().of(stages.classifier, stages), stages.classifier.layers, strict=True):
        np.testing.assert_allclose(np.linalg.norm(dW, axis=0), np.linalg.norm(W, axis=0), rtol=1e-5)
        assert not db.any()


def test_the_seed_and_the_index_choose_the_direction_and_nothing_else_does(stages_of):
    network = stages_of().classifier
    first = Random().of(network, stages_of())[0][0]
    assert (first == Random().of(network, stages_of(batch_size=7, draws=3))[0][0]).all()
    for other in (Random(index=1).of(network, stages_of()), Random().of(network, stages_of(seed=1))):
        assert abs(np.corrcoef(first.ravel(), other[0][0].ravel())[0, 1]) < 0.05


def test_a_negative_index_is_refused():
    with pytest.raises(BadInput, match="index must be a whole number of at least 0; found -1"):
        Random(index=-1)
