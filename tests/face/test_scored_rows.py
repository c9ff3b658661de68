import numpy as np
import pytest

import pipeline as bs
from tests.face.given import two_models

LABELS, LOGITS, _ = two_models()


def test_rows_say_what_they_are():
    rows = bs.scores(LABELS, logits=LOGITS, group=np.arange(400) // 10, name="mine")
    assert repr(rows) == "<mine: 400 rows in 40 groups of loss, accuracy>"


def test_a_slice_that_is_none_is_refused():
    with pytest.raises(bs.BadInput, match="a slice must be one of a, b; found c"):
        bs.scores(loss=[0.1, 0.2], by=["a", "b"]).slice("c")
