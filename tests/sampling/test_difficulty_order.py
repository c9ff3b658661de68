"""The order by difficulty is a stable sort of finite numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadInput
from pipeline.sampling import difficulty_order
from pipeline.sampling.difficulty_order import by_difficulty, require_finite
from tests.populations import frame_of, some_scores


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_the_order_against_pythons_stable_sort(difficulty):
    frame = frame_of(some_scores(len(difficulty)), difficulty=np.array(difficulty, dtype=float))
    assert by_difficulty(frame).tolist() == sorted(range(len(difficulty)), key=difficulty.__getitem__)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_row(value):
    difficulty = np.arange(2000.0)
    difficulty[1234] = value
    with pytest.raises(BadInput, match=rf"finite number for each row; found {value} in row 1,234"):
        by_difficulty(frame_of(some_scores(2000), difficulty=difficulty))


def test_finite_values_of_any_size_and_sign_are_taken():
    require_finite(np.array([-1e308, 0.0, 1e308]))


def test_more_units_than_memory_holds_are_refused_before_the_proxy_is_asked(monkeypatch):
    def refuse(size, what):
        raise BadInput(f"{what} of {size} units")

    monkeypatch.setattr(difficulty_order, "refuse_too_many", refuse)
    with pytest.raises(BadInput, match="an order by a proxy of 5 units"):
        by_difficulty(frame_of(some_scores(5)))
