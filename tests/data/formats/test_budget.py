import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.formats.base import BLOCK_ROWS
from pipeline.data.formats.budget import (
    BLOCK_BYTES,
    MOST_BYTES,
    refuse_expansion,
    refuse_wide_rows,
    rows_of_a_block,
    rows_within,
)
from pipeline.errors import BadInput
from pipeline.scoring.block import BLOCK


@given(st.integers(1, 1 << 40), st.integers(1, 1 << 30))
def test_rows_are_the_largest_power_of_two_within_the_budget(n_bytes, row_bytes):
    found = rows_within(n_bytes, row_bytes, most=BLOCK_ROWS)
    assert found.bit_count() == 1
    assert found == 1 or found * row_bytes <= n_bytes
    assert found == BLOCK_ROWS or 2 * found * row_bytes > n_bytes


@given(st.integers(1, 1 << 26))
def test_a_block_is_cut_where_models_cut_it_and_never_takes_more_than_may_be_unpacked(row_bytes):
    found = rows_of_a_block(row_bytes, most=BLOCK_ROWS)
    assert found * row_bytes <= max(MOST_BYTES, row_bytes)
    # Where 1,024 rows fit, the cuts change no figure.
    assert found % BLOCK == 0 or 1024 * row_bytes > MOST_BYTES


def test_rows_beyond_any_block_are_refused():
    refuse_wide_rows(BLOCK_BYTES, "a")
    with pytest.raises(BadInput, match=r"a row of a must take at most 67,108,864 bytes; found 67,108,865 declared"):
        refuse_wide_rows(BLOCK_BYTES + 1, "a")


def test_little_may_be_packed_as_well_as_it_can_be_and_much_a_hundredfold():
    refuse_expansion(1000, 1, 1000, "a")
    refuse_expansion(100_000, 1000, 1000, "a")
    with pytest.raises(BadInput, match=r"a must unpack to at most 100 times its 1,000 bytes, or to data\.max_bytes=50"):
        refuse_expansion(100_001, 1000, 50, "a")
