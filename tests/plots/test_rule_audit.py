from __future__ import annotations

import numpy as np
import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.plots import rule_audit
from pipeline.records.verdict import Audit


def drawn(metric, rule, threshold):
    gain = np.linspace(-0.03, 0.02, 31)
    fails = 1 / (1 + np.exp((gain + threshold) / 0.003))
    audit = Audit(rule, metric.name, threshold, 2000, (0.0,) * 3, (0.1, 0.5, 0.9), (0.0, 0.02, 0.5), (0.5, 0.9, 0.5))
    return rule_audit.draw(metric, audit, gain, fails, fails**3, fails * (1 - fails**3))


CASES = {
    "accuracy": (Accuracy(), "accuracy<-0.01", 0.01),
    "loss": (Loss(), "loss>0.01", 0.01),
    "no threshold": (Accuracy(), "accuracy<0", 0.0),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_collides_or_leaves_the_figure(case, texts_outside, overlapping_texts):
    figure = drawn(*CASES[case])
    figure.draw_without_rendering()
    assert CASES[case][1] in figure.get_suptitle()
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


def test_the_side_on_which_a_pass_is_a_miss_is_the_bad_one():
    for case, is_left in (("accuracy", True), ("loss", False)):
        (axes,) = drawn(*CASES[case]).axes
        miss, alarm = (next(text for text in axes.texts if word in text.get_text()) for word in ("miss", "false alarm"))
        assert (miss.get_position()[0] < alarm.get_position()[0]) is is_left


def test_differences_are_in_points_and_shares_in_per_cent():
    (axes,) = drawn(*CASES["accuracy"]).axes
    rule = axes.lines[0]
    assert (min(rule.get_xdata()), max(rule.get_xdata())) == pytest.approx((-3.0, 2.0))
    assert 0 <= min(rule.get_ydata()) < max(rule.get_ydata()) <= 100
