import numpy as np
import pytest

from pipeline.study.labelling.looks import frame_of, look_at, series_of
from pipeline.study.labelling.population import Unlabelled


@pytest.fixture
def looked(stages_of):
    rows = Unlabelled(stages_of())
    test = rows.test(uniform=0.2)
    test.fill(rows.own_labels()[test.choose(80, np.random.default_rng(0)).rows])
    return look_at(test, 0.95), test


def test_the_accuracy_is_one_minus_the_errors_with_its_ends_turned_over(looked):
    look, test = looked
    errors = test.estimates(0.95)["accuracy"]
    found = look.found["accuracy"]
    assert (found.mean, found.low) == pytest.approx((1 - errors.value, 1 - errors.high))
    # Beyond 1 it is cut off.
    assert found.high == pytest.approx(min(1 - errors.low, 1.0))
    assert look.labels == 80
    assert look.found["loss"].low >= 0


def test_a_look_is_a_row_and_a_point_of_each_curve(looked):
    look, _ = looked
    frame = frame_of([look])
    assert frame["labels"].tolist() == [80]
    assert frame["loss_half_width"].item() == look.found["loss"].half_width
    assert frame["accuracy_simple"].item() == look.simple["accuracy"]
    assert ("loss/seen_low", look.found["loss"].low, 80) in series_of([look])
