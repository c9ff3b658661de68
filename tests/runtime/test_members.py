"""A family's table knows all its parts and imports those that are asked for."""

import pickle
import subprocess
import sys

import pytest

from pipeline import data
from pipeline.config import FAMILIES

CHOSEN = """
import sys
from pipeline.config import FAMILIES
FAMILIES["data"]["npz"], FAMILIES["sampling"]["blocks"]
print(*(name for name in sys.modules if name.startswith(("pipeline.data.", "pipeline.sampling."))))
"""


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "tracking"])
def test_every_part_of_a_family_is_a_class_whose_name_is_the_tables(family):
    for name, part in FAMILIES[family].items():
        assert part.name == name
        assert part.__module__.rpartition(".")[2] == name


def test_a_name_that_is_none_of_the_parts_is_a_key_error():
    assert "nothing" not in data.MEMBERS
    with pytest.raises(KeyError, match="nothing"):
        data.MEMBERS["nothing"]


def test_a_part_is_imported_when_it_is_asked_for_and_the_others_are_not():
    said = subprocess.run([sys.executable, "-c", CHOSEN], capture_output=True, text=True, check=True).stdout.split()
    assert {"pipeline.data.npz", "pipeline.sampling.blocks"} <= set(said)
    others = {"pipeline.data.inspect", "pipeline.data.lm_eval", "pipeline.sampling.stratified"}
    assert others.isdisjoint(said)


def test_a_table_travels_to_another_process():
    assert dict(pickle.loads(pickle.dumps(data.MEMBERS))) == dict(data.MEMBERS)
