import sys

import numpy as np
import pytest

from pipeline.data.digits import Digits
from pipeline.errors import BadInput
from pipeline.model.bounded import bounded, check_memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_a_model_that_asks_for_more_is_refused_and_the_data_and_its_file_make_room():
    digits = Digits()
    with (
        pytest.raises(
            BadInput, match=r"m\.onnx must be loaded, .* within 71,303,168 bytes of memory; .* model\.memory"
        ),
        bounded(1 << 26, "m.onnx", 0, digits),
    ):
        np.ones(1 << 26)
    with bounded(1, "m.onnx", 1 << 26, digits):
        np.ones(1 << 24)


def test_other_errors_stay_what_they_are():
    with pytest.raises(KeyError, match="a"), bounded(1 << 26, "m.onnx", 0, Digits()):
        raise KeyError("a")


def test_no_memory_at_all_is_refused():
    with pytest.raises(BadInput, match=r"model\.memory must be at least 1 byte; found 0"):
        check_memory(0)
