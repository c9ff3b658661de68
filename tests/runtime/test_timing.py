"""How often work is called, and that the median of the calls is returned."""

import time

import pytest

from pipeline.runtime import timing
from pipeline.runtime.timing import TwoTimes, in_turn, median_seconds


class Work:
    """Work that takes the seconds given, one call after the other, on a clock of its own."""

    def __init__(self, monkeypatch, *seconds):
        self.seconds, self.calls, self.now = seconds, 0, 0.0
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def __call__(self):
        self.now += self.seconds[min(self.calls, len(self.seconds) - 1)]
        self.calls += 1


def test_real_work_takes_what_it_takes():
    started = time.perf_counter()
    found = median_seconds(lambda: time.sleep(0.002), at_least=5, at_most=5)
    # Three of the five calls took the median or longer.
    assert 0.002 <= found <= (time.perf_counter() - started) / 3


def test_the_median_is_not_moved_by_a_slow_first_call(monkeypatch):
    work = Work(monkeypatch, 0.5, 0.02, 0.03)
    assert median_seconds(work) == pytest.approx(0.03)
    assert work.calls == 3


@pytest.mark.parametrize(("seconds", "calls"), [(1e-6, 25), (0.004, 13), (0.1, 3)])
def test_fast_work_is_called_until_50_ms_are_spent_within_the_bounds(monkeypatch, seconds, calls):
    work = Work(monkeypatch, seconds)
    assert median_seconds(work) == pytest.approx(seconds, rel=1e-6)
    assert work.calls == calls


def test_work_of_more_than_a_second_is_called_once(monkeypatch):
    work = Work(monkeypatch, 1.5, 0.1)
    assert median_seconds(work) == 1.5
    assert work.calls == 1


@pytest.mark.parametrize("bound", [1, 2])
def test_the_callers_own_bounds_hold(monkeypatch, bound):
    work = Work(monkeypatch, 1e-6)
    median_seconds(work, at_least=1, at_most=bound)
    assert work.calls == bound


def test_an_error_of_the_work_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        median_seconds(lambda: 1 / 0)


def test_two_pieces_of_work_are_called_in_turn_after_a_warm_up_of_each(monkeypatch):
    calls, now = [], [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def work(name, first, later):
        def call():
            now[0] += later if name in calls else first
            calls.append(name)

        return call

    found = in_turn(work("batch", 0.5, 0.01), work("all", 0.9, 0.08), expected=0.08)
    assert calls == ["batch", "all"] * 5
    assert found.short == pytest.approx([0.01] * 4)
    assert found.long == pytest.approx([0.08] * 4)
    assert found.share == pytest.approx(0.125)


@pytest.mark.parametrize(("expected", "calls"), [(1e-6, 9), (0.1, 3), (0.13, 2), (0.14, None), (60.0, None)])
def test_long_work_is_not_called_again_for_the_sake_of_its_time(expected, calls):
    found = in_turn(lambda: None, lambda: None, expected=expected)
    assert (found and len(found.short)) == calls


@pytest.mark.parametrize(
    ("short", "long", "share"),
    [
        ([1.0, 1.1, 1.2], [2.0, 2.2, 2.4], 0.5),
        ([1.0, 1.1, 2.1], [2.0, 2.2, 2.4], None),
        ([1.0, 1.0, 1.0, 1.0, 9.0], [2.0, 2.0, 2.0, 2.0, 9.0], None),
        ([1.0] * 8 + [9.0], [2.0] * 9, 0.5),
        ([2.0] * 9, [2.0] * 9, None),
    ],
)
def test_times_whose_spreads_overlap_have_no_share(short, long, share):
    assert TwoTimes(short, long).share == share
