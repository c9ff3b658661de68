import threading
import time

import pytest

from pipeline.runtime import apart


def test_what_a_call_returns_or_raises_comes_back():
    assert apart.call_apart(lambda: threading.current_thread() is threading.main_thread()) is False
    with pytest.raises(KeyError, match="a"):
        apart.call_apart(lambda: {}["a"], seconds=60)


def test_a_call_that_takes_too_long_is_told_to_stop(monkeypatch):
    monkeypatch.setattr(apart, "_ENDING", 60)
    told = threading.Event()
    with pytest.raises(TimeoutError):
        apart.call_apart(told.wait, seconds=0.01, stop=told.set)
    assert told.is_set()


def test_a_call_that_cannot_be_stopped_is_left_to_itself(monkeypatch):
    monkeypatch.setattr(apart, "_ENDING", 0.01)
    with pytest.raises(TimeoutError):
        apart.call_apart(lambda: time.sleep(1), seconds=0.01)


def test_all_calls_that_are_referred_to_are_ended_and_others_forgotten():
    class Calls:
        stopped = 0

        def stop(self):
            Calls.stopped += 1

    kept = Calls()
    for each in (kept, Calls()):
        apart.end_when_interrupted(each)
    del each
    apart.stop_all()
    assert Calls.stopped == 1
