import math

import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.report.series import About, Alarm, Look, MetricTrend


def trend(*ps):
    looks = [None if p is None else Look(p, 1) for p in ps]
    return MetricTrend(Accuracy(), [], [], [], looks)


def test_the_alarm_is_the_first_look_at_or_below_alpha():
    found = trend(None, 0.2, 0.04, 0.001)
    assert found.alarm(0.95) == Alarm(found.metric, 2, 1, 0.04)
    assert found.alarm(0.99).at == 3
    assert found.alarm(0.9999) is None
    assert found.smallest == 0.001


def test_a_p_value_of_exactly_alpha_is_an_alarm():
    assert trend(None, 1 - 0.95).alarm(0.95) is not None
    assert trend(None, math.nextafter(1 - 0.95, 1)).alarm(0.95) is None


def test_without_a_test_there_is_no_alarm_and_no_smallest_p_value():
    assert trend(None, None).alarm(0.95) is None
    assert trend(None, None).smallest is None


@pytest.mark.parametrize(("reference", "newest"), [(0, 2), (1, 2), (2, 1)])
def test_the_newest_file_is_the_last_one_that_is_not_the_reference(reference, newest):
    about = About("a", "c", ["a", "b", "c"], None, [1, 1, 1], reference, 0.95)
    assert about.newest == newest
    assert about.called == f"the reference {'abc'[reference]}"
