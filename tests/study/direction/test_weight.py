import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import BadInput
from pipeline.study.direction.weight import Weight, name_of, place_of

SHAPES = [(6, 5), (5, 4), (4, 3)]
LAYERS = [(np.zeros(shape), np.zeros(shape[1])) for shape in SHAPES]
VALID = r"must be one of the model's, W1\[0,0\] … W1\[5,4\], b1\[0\] … b1\[4\]"


@given(st.integers(0, 2), st.integers(0, 1), st.data())
def test_a_weights_name_leads_back_to_it_in_either_spelling(layer, part, data):
    shape = LAYERS[layer][part].shape
    at = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    name = name_of(layer, part, at)
    assert place_of(name, LAYERS) == (layer, part, at)
    assert place_of(name.replace("[", ".").replace("]", "").replace(",", "."), LAYERS) == (layer, part, at)


@given(st.text(alphabet="Wb0123456789[],. -", max_size=12))
def test_any_other_name_is_refused_in_one_line_that_names_the_valid_ones(name):
    assume(not name.lstrip().startswith(("W", "b1", "b2", "b3")))
    with pytest.raises(BadInput, match=VALID) as refused:
        place_of(name, LAYERS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["W4[0,0]", "W0[0,0]", "b1[5]", "W1[6,0]", "W1[0,5]", "W1[3]", "b1[1,2]", "W2.0"])
def test_a_place_that_the_model_does_not_have_is_refused(name):
    with pytest.raises(BadInput, match=VALID):
        place_of(name, LAYERS)


@pytest.mark.parametrize("name", ["", "W2", "w2[3,7]", "W2[3,-1]", "W2[3,7", "V1[0,0]", "W2[3.7]"])
def test_what_is_no_name_is_refused_before_any_model_is_built(name):
    with pytest.raises(BadInput, match=r"must be named such as W2\[3,7\], b1\[4\] or W2\.3\.7"):
        Weight(weight=name)


def test_a_unit_step_of_that_weight_alone(stages_of):
    stages = stages_of()
    layers = Weight(weight="W2[3,7]").of(stages.classifier, stages)
    assert layers[1][0][3, 7] == 1
    assert sum(np.count_nonzero(array) for layer in layers for array in layer) == 1


def test_without_a_name_a_weight_of_a_live_input_of_the_first_layer_is_taken(stages_of):
    stages = stages_of()
    part = Weight()
    layers = part.of(stages.classifier, stages)
    (row, column), *others = np.argwhere(layers[0][0])
    assert not others
    assert part.described(stages.classifier, stages) == f"the weight W1[{row},{column}]"
    assert stages.rows.inputs[:, row].std() > 0


@pytest.mark.parametrize("name", ["W1[20,3]", "b1[3]", "W2[3,7]", "b2[7]"])
def test_its_range_moves_the_units_sum_by_twice_its_size(stages_of, name):
    stages = stages_of()
    part = Weight(weight=name)
    low, high = part.reach(stages.classifier, part.of(stages.classifier, stages), stages)
    x = stages.rows.inputs * np.float32(stages.rows.scale)
    (W1, b1), (W2, b2) = stages.classifier.layers
    h = np.maximum(x @ W1 + b1, 0)
    into, sums = {"W1": (x[:, 20], x @ W1 + b1), "b1": (np.ones(1), x @ W1 + b1)}.get(name[:2]) or (
        h[:, 3] if name[0] == "W" else np.ones(1),
        h @ W2 + b2,
    )
    unit = 3 if name[1] == "1" else 7
    expected = 2 * np.sqrt((sums[:, unit] ** 2).mean() / (into**2).mean())
    assert (-low, high) == pytest.approx((expected, expected), rel=1e-4)
