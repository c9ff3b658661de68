"""The laws that every direction obeys."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.errors import BadInput
from pipeline.model.base import Classifier
from pipeline.model.network import Network
from pipeline.study.direction import MEMBERS
from pipeline.study.direction.base import length, moved


@pytest.fixture(scope="module")
def directions(tmp_path_factory, digits_parts):
    """One of every member, ready for the default network."""
    path = tmp_path_factory.mktemp("weights") / "other.npz"
    layers = digits_parts[1].layers
    np.savez(
        path, **{f"{kind}{i}": a + 1 for i, layer in enumerate(layers, 1) for kind, a in zip("Wb", layer, strict=True)}
    )
    made = {name: part() for name, part in MEMBERS.items() if name != "checkpoint"}
    made["checkpoint"] = MEMBERS["checkpoint"](path=str(path))
    assert set(made) == set(MEMBERS)
    return made


@pytest.fixture(params=list(MEMBERS))
def direction(request, directions):
    return directions[request.param]


def test_it_has_the_networks_shapes_and_dtype_and_a_finite_length(direction, stages_of):
    stages = stages_of()
    layers = direction.of(stages.classifier, stages)
    for layer, own in zip(layers, stages.classifier.layers, strict=True):
        assert [(a.shape, a.dtype) for a in layer] == [(a.shape, a.dtype) for a in own]
    assert 0 < length(layers) < np.inf


def test_it_is_the_same_each_time_and_its_range_holds_the_model(direction, stages_of):
    stages = stages_of()
    first, again = (direction.of(stages.classifier, stages) for _ in range(2))
    for one, two in zip(first, again, strict=True):
        assert all((a == b).all() for a, b in zip(one, two, strict=True))
    low, high = direction.reach(stages.classifier, first, stages)
    assert low < 0 < high
    assert direction.described(stages.classifier, stages)
    assert direction.unit()


def test_moving_by_0_changes_no_logit(direction, stages_of):
    stages = stages_of()
    network = stages.classifier
    still = moved(network, direction.of(network, stages), 0.0)
    assert still.digest == network.digest


def test_a_model_without_layers_is_refused(direction, stages_of):
    class Opaque(Classifier):
        def logits(self, inputs):
            return np.zeros((len(inputs), 10))

    with pytest.raises(BadInput, match="needs a model whose weights can be moved; found a Opaque"):
        direction.of(Opaque(), stages_of())


@pytest.mark.parametrize("alpha", [np.nan, np.inf])
def test_a_step_that_is_no_number_is_refused(stages_of, alpha):
    network = stages_of().classifier
    with pytest.raises(BadInput, match="must be a finite number"):
        moved(network, network.layers, alpha)


def test_a_network_of_zeros_has_no_random_direction(stages_of):
    zeros = Network([(np.zeros_like(W), np.zeros_like(b)) for W, b in stages_of().classifier.layers], "relu")
    with pytest.raises(BadInput, match="random must have a length; found a network whose weights are all 0"):
        MEMBERS["random"]().of(zeros, stages_of())


@pytest.mark.parametrize("name", list(MEMBERS))
def test_its_yaml_states_every_field_with_the_parts_own_default(name):
    path = Path(__file__).resolve().parents[1] / "conf" / "study" / "direction" / f"{name}.yaml"
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert stated.pop("defaults") == [f"/schema/study/direction/{name}@_here_", "_self_"]
    fields = MEMBERS[name].__dataclass_fields__
    assert stated == {key: field.default for key, field in fields.items() if key != "name"}
