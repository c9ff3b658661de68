import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.model.network import Network
from pipeline.study.direction.base import moved
from pipeline.study.direction.checkpoint import Checkpoint


def save(path, layers):
    np.savez(
        path, **{f"{kind}{i}": a for i, layer in enumerate(layers, 1) for kind, a in zip("Wb", layer, strict=True)}
    )
    return str(path)


def other_layers(network, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=W.shape).astype("f4"), rng.normal(size=b.shape).astype("f4")) for W, b in network.layers]


def test_a_step_of_1_is_the_other_network(stages_of, tmp_path):
    stages = stages_of()
    other = other_layers(stages.classifier)
    direction = Checkpoint(path=save(tmp_path / "other.npz", other)).of(stages.classifier, stages)
    for (W, b), (V, c) in zip(moved(stages.classifier, direction, 1.0).layers, other, strict=True):
        np.testing.assert_allclose(W, V, atol=1e-6)
        np.testing.assert_allclose(b, c, atol=1e-6)


def test_other_shapes_are_refused_with_both_named(stages_of, tmp_path):
    stages = stages_of()
    path = save(tmp_path / "small.npz", [(np.ones((64, 10), "f4"), np.ones(10, "f4"))])
    with pytest.raises(BadInput, match="must have the model's shapes, 64×128 128×10; found 64×10: choose weights of"):
        Checkpoint(path=path).of(stages.classifier, stages)


def test_the_models_own_weights_are_no_direction(stages_of, tmp_path):
    stages = stages_of()
    path = save(tmp_path / "same.npz", stages.classifier.layers)
    with pytest.raises(BadInput, match="checkpoint must have a length; found the model's own weights"):
        Checkpoint(path=path).of(stages.classifier, stages)


def test_nan_a_missing_file_and_no_file_are_refused(stages_of, tmp_path):
    stages = stages_of()
    layers = other_layers(stages.classifier)
    layers[0][0][0, 0] = np.nan
    with pytest.raises(BadInput, match=r"study\.direction\.path=.*finite number; found NaN or infinity in W1"):
        Checkpoint(path=save(tmp_path / "nan.npz", layers)).of(stages.classifier, stages)
    with pytest.raises(BadInput, match="found no file"):
        Checkpoint(path=str(tmp_path / "none.npz")).of(stages.classifier, stages)
    with pytest.raises(BadInput, match=r"add study\.direction\.path=FILE"):
        Checkpoint()


def test_a_bias_stored_as_a_row_is_read(stages_of, tmp_path):
    stages = stages_of()
    rows = [(W, b[None]) for W, b in other_layers(stages.classifier)]
    assert isinstance(stages.classifier, Network)
    assert Checkpoint(path=save(tmp_path / "rows.npz", rows)).of(stages.classifier, stages)[0][1].shape == (128,)
