"""Intervals are chosen by name."""

import pytest

from pipeline.config import composed
from pipeline.errors import BadInput
from pipeline.face.intervals import ACCURACY, LOSS, intervals_named


def test_a_name_gives_the_interval_of_that_name_and_another_is_refused():
    found = intervals_named("bca", "wald")
    assert (found.loss.name, found.accuracy.name, found.target) == ("bca", "wald", "superpopulation")
    with pytest.raises(BadInput, match="accuracy must be an interval of"):
        intervals_named("t", "bca")


def test_the_defaults_are_those_of_the_configuration_with_its_fields():
    configured = composed([]).interval
    found = intervals_named(LOSS, ACCURACY, target=configured.target)
    assert found == configured
