"""The other file is read as the first is, and its faults are its own."""

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.errors import BadInput
from pipeline.study.paired.other_file import names_of, other_of, population_of
from tests.study.predicted import ROWS, two_models, write

FIRST, _, LABELS = two_models()


def test_a_column_of_something_else_is_refused(tmp_path):
    path = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    data = data_family.MEMBERS["predictions"](path=path)
    with pytest.raises(BadInput, match=r"^study\.against_columns must be of .*; found weight: leave it out$"):
        other_of(data, path, {"weight": "w"})
    with pytest.raises(BadInput, match=r"predictions, data=predictions; found logits"):
        other_of(data_family.MEMBERS["digits"](), path, {"logits": "x"})


def test_a_group_or_weight_is_that_of_the_first_file_alone(tmp_path):
    path = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST, w=np.ones(ROWS))
    other = other_of(data_family.MEMBERS["predictions"](path=path, weight="w"), str(tmp_path / "b.parquet"), {})
    assert (other.path, other.weight, other.group) == (str(tmp_path / "b.parquet"), None, None)


def test_a_fault_of_the_other_file_is_told_as_its_own(tmp_path):
    path = str(tmp_path / "none.parquet")
    with pytest.raises(BadInput, match=r"^study\.against=.*none\.parquet: "):
        population_of(data_family.MEMBERS["predictions"](path=path))


def test_two_models_are_called_by_what_tells_them_apart(tmp_path):
    def data(path, **fields):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        return data_family.MEMBERS["predictions"](path=write(tmp_path / path, label=LABELS, a=FIRST, b=FIRST), **fields)

    assert names_of(data("old.parquet"), data("new.parquet")) == ("old.parquet", "new.parquet")
    assert names_of(data("may/p.parquet"), data("june/p.parquet")) == ("may/p.parquet", "june/p.parquet")
    both = data("p.parquet", logits="a"), data("p.parquet", logits="b")
    assert names_of(*both) == ("p.parquet a", "p.parquet b")
    # A column that is found, for none is named.
    assert names_of(data("p.parquet"), both[1]) == ("p.parquet logits", "p.parquet b")
    assert names_of(both[0], both[0]) == ("p.parquet", "p.parquet")
