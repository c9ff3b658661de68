"""Every family is the same as the folder of its parts and their configuration group."""

import dataclasses

import pytest

from pipeline import config
from pipeline.config.families import FAMILIES, FIELDS_OF_OTHER_FAMILIES
from pipeline.experiment import Experiment


def fields_of_part(part):
    """The names of a part's fields that hold parts themselves, by the annotation's own families."""
    return {field.name for field in dataclasses.fields(part)}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_part_is_a_dataclass_that_carries_its_name(family):
    for name, part in FAMILIES[family].items():
        (field,) = (field for field in dataclasses.fields(part) if field.name == "name")
        assert field.default == name


def test_every_part_of_an_experiment_has_a_family():
    # The others are numbers and the flag of a sweep.
    plain = {"seed", "batch_size", "draws", "confidence", "force"}
    roots = {family for family in FAMILIES if "/" not in family}
    assert {field.name for field in dataclasses.fields(Experiment)} == plain | roots


@pytest.mark.parametrize("family", [family for family in FAMILIES if "/" in family])
def test_a_family_below_another_fills_a_field_of_one_of_its_parts(family):
    above, _, field = family.partition("/")
    assert any(field in fields_of_part(part) for part in FAMILIES[above].values())


@pytest.mark.parametrize(("group", "family"), FIELDS_OF_OTHER_FAMILIES.items())
def test_a_field_that_takes_another_familys_parts_has_no_family_of_its_own(group, family):
    above, _, field = group.partition("/")
    assert family in FAMILIES
    assert group not in FAMILIES
    assert any(field in fields_of_part(part) for part in FAMILIES[above].values())


def test_the_wing_hands_out_this_very_table():
    assert config.FAMILIES is FAMILIES
