import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.formats import inferred_types as types
from pipeline.data.formats.inferred_types import arrow_type, kind_of, wider

SCALARS = [types.EMPTY, types.BOOLEAN, types.INTEGER, types.FLOAT, types.TEXT]
LISTS = [types.EMPTIES, types.INTEGERS, types.FLOATS]
KINDS = st.sampled_from([*SCALARS, *LISTS, types.OTHER])


@given(KINDS, KINDS, KINDS)
def test_the_order_of_values_does_not_change_the_type_of_a_column(a, b, c):
    assert wider(a, b) == wider(b, a)
    assert wider(wider(a, b), c) == wider(a, wider(b, c))
    assert wider(a, a) == a
    # A wider type stays: so reading again and again comes to an end.
    assert wider(wider(a, b), b) == wider(a, b)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (types.INTEGER, types.FLOAT, types.FLOAT),
        (types.EMPTY, types.INTEGERS, types.INTEGERS),
        (types.EMPTIES, types.FLOATS, types.FLOATS),
        (types.BOOLEAN, types.INTEGER, types.TEXT),
        (types.FLOAT, types.FLOATS, types.OTHER),
        (types.TEXT, types.OTHER, types.OTHER),
    ],
)
def test_the_narrowest_type_that_holds_both_is_taken(one, other, both):
    assert wider(one, other) == both


@pytest.mark.parametrize(
    ("arrow", "kind"),
    [
        (pa.null(), types.EMPTY),
        (pa.bool_(), types.BOOLEAN),
        (pa.int64(), types.INTEGER),
        (pa.float64(), types.FLOAT),
        (pa.string(), types.TEXT),
        (pa.timestamp("s"), types.TEXT),
    ],
)
def test_what_arrow_infers_is_kept_as_a_type_that_holds_it(arrow, kind):
    assert kind_of(arrow) == kind
    if kind != types.EMPTY and arrow != pa.timestamp("s"):
        assert arrow_type(kind) == arrow


def test_every_kind_that_is_kept_has_a_type_of_its_own_but_for_nothing():
    kept = [arrow_type(kind) for kind in [*SCALARS[1:], *LISTS[1:]]]
    assert all(a != b for a, b in itertools.combinations(kept, 2))
    assert arrow_type(types.EMPTY) == pa.float64()
    assert arrow_type(types.EMPTIES) == pa.list_(pa.float64())
