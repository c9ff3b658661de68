import numpy as np

from pipeline.records.slices import Slices


def test_each_row_is_in_the_slice_of_its_code_and_rows_keep_their_order():
    codes = np.random.default_rng(0).integers(0, 3, 50)
    rows = Slices("country", ("a", "b", "c"), codes).rows()
    assert [own.tolist() for own in rows] == [np.flatnonzero(codes == k).tolist() for k in range(3)]
