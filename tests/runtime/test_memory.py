import subprocess
import sys

import numpy as np
import pytest

from pipeline.runtime.memory import is_shortage, limited


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_what_asks_for_more_fails_and_the_limit_ends_with_the_block():
    with limited(1 << 26):
        np.ones(1 << 20)
        with pytest.raises(MemoryError):
            np.ones(1 << 26)
    assert np.ones(1 << 24).sum() == 1 << 24


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_a_limit_within_another_cannot_be_the_larger_one():
    with limited(1 << 26), limited(1 << 34), pytest.raises(MemoryError):
        np.ones(1 << 26)


@pytest.mark.process
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_libraries_in_c_are_limited_too():
    script = (
        "import pyarrow as pa; from pipeline.runtime.memory import is_shortage, limited\n"
        "with limited(1 << 26):\n"
        "    try: pa.allocate_buffer(1 << 30)\n"
        "    except pa.ArrowException as error: print(is_shortage(error))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_shortage_is_told_by_its_type_its_words_or_its_cause():
    assert is_shortage(MemoryError())
    assert is_shortage(RuntimeError("std::bad_alloc"))
    error = ValueError("cannot be read")
    error.__cause__ = MemoryError()
    assert is_shortage(error)
    assert not is_shortage(ValueError("a wrong value"))
    assert not is_shortage(None)
