import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.data.labels import rows_to_labels
from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput
from pipeline.records.probabilities import LABEL_TOLERANCE, TOLERANCE, are_distributions, is_off, row_sums
from pipeline.scoring.block import refuse_sums

ROWS = hnp.arrays(
    st.sampled_from([np.float16, np.float32, np.float64]),
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=5),
    elements=st.sampled_from([0, 0.25, 0.5, 0.5009765625, 1, -0.25, np.inf, np.nan]),
)


@given(ROWS, st.sampled_from([0.0, TOLERANCE, 0.3]))
def test_rows_are_distributions_where_python_s_own_sum_says_so(rows, tolerance):
    def is_one(row):
        return all(value >= 0 for value in row) and abs(sum(row) - 1) <= tolerance

    assert are_distributions(rows, tolerance) == all(is_one(row) for row in rows.astype(np.float64).tolist())


def test_sums_are_made_in_float64_and_overflow_without_a_warning():
    halves = np.full((1, 4096), 1 / 4096, np.float16)
    assert row_sums(halves).tolist() == [1.0]
    sums = row_sums(np.array([[1e308, 1e308], [np.inf, -np.inf]]))
    assert sums[0] == np.inf
    assert np.isnan(sums[1])
    assert is_off(sums).all()


@pytest.mark.parametrize("off", [0.9, 1.1])
def test_a_sum_may_be_off_by_the_tolerance_and_no_more(off):
    rows = np.array([[0.5, 0.5], [0.5, 0.5 - off * TOLERANCE]])
    assert are_distributions(rows) == (off < 1)
    assert is_off(row_sums(rows)).tolist() == [False, off > 1]


def test_no_row_is_wrong_where_there_is_none():
    assert are_distributions(np.empty((0, 3)))


@pytest.mark.parametrize("off", [0.9, 1.1])
def test_labels_and_a_model_s_outputs_are_held_to_their_own_tolerance(off):
    row = np.array([[0.5, 0.5 + off * TOLERANCE]])
    soft = np.array([[0.5, 0.5 + off * LABEL_TOLERANCE]])
    if off < 1:
        refuse_sums(row, str)
        np.testing.assert_array_equal(rows_to_labels(soft, source="t"), soft.astype(np.float32))
        return
    with pytest.raises(BadInput, match=r"sum to 1 within 0\.001; found \+0\.0011 off in 0: mend"):
        refuse_sums(row, str)
    with pytest.raises(BadInput, match=r"with a sum of 1; found a sum of 1\.00011 in row 0"):
        rows_to_labels(soft, source="t")


def test_the_default_of_data_tolerance_is_that_of_a_model_s_outputs():
    assert Predictions(path="p.parquet").tolerance == TOLERANCE


@pytest.mark.parametrize(("row", "found"), [([0.5, 0.6], r"\+0\.1 off"), ([1.5, -0.5], r"-0\.5"), ([np.nan, 1], "nan")])
def test_the_first_wrong_row_is_named_by_its_sum_or_its_lowest_value(row, found):
    with pytest.raises(BadInput, match=rf"found {found} in row 1: mend"):
        refuse_sums(np.array([[0.5, 0.5], row, [2, 2]]), lambda at: f"row {at}")
