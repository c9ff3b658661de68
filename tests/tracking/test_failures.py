import pytest
from mlflow.exceptions import MlflowException

from pipeline.tracking.failures import is_lost, reason


def test_the_reason_is_the_innermost_cause_in_one_line_without_secrets():
    inner = OSError("disk of http://me:hush@host is full\nmore")
    outer = RuntimeError("outer")
    outer.__cause__ = inner
    assert reason(outer) == "disk of http://***@host is full"


def test_only_errors_of_the_store_mean_that_it_is_lost(tracking):
    store = tracking.open()
    assert store.answers()
    with pytest.raises(MlflowException) as given:
        store._client.get_run("abc")
    assert is_lost(given.value)
    assert not is_lost(OSError("disk full"))
