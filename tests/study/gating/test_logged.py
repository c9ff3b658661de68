"""What is logged of a gate."""

import dataclasses
import math

import pandas as pd

from pipeline.study.gate import Gate
from pipeline.study.gating.logged import metrics_of, series_of
from tests.report.test_gate import AUDIT, BOTH, EXACT, judged
from tests.report.test_gate_sequence import STOP


def test_the_figures_are_those_that_the_study_names():
    found = metrics_of(BOTH)
    assert set(found) == {*Gate.columns, "check/worse", "check/worse_at_0"}
    assert (found["verdict"], found["loss/verdict"], found["accuracy/verdict"]) == (3.0, 3.0, 2.0)
    assert (found["loss/difference_low"], found["accuracy/more"]) == (0.0722, 2152.0)


def test_what_does_not_exist_is_left_out():
    found = metrics_of(judged(*EXACT, is_exact=True, check=None))
    assert {name.partition("/")[2] for name in found} == {
        "", "baseline", "candidate", "difference", "difference_low", "difference_high", "margin", "verdict"
    }  # fmt: skip


def test_a_rule_is_wrong_where_it_fails_what_is_as_good_and_passes_what_is_twice_too_bad():
    found = metrics_of(dataclasses.replace(BOTH, audit=AUDIT))
    assert (found["rule/false_alarm"], round(found["rule/miss"], 12)) == (0.02, 0.02)
    assert (found["rule/gate_false_alarm"], round(found["rule/gate_miss"], 12)) == (0.0, 0.33)


def test_a_gate_that_stopped_logs_its_rows_and_no_plan():
    findings = tuple(dataclasses.replace(own, effect=math.nan, needed=math.nan) for own in BOTH.findings)
    found = metrics_of(dataclasses.replace(BOTH, findings=findings, stop=STOP, check=None))
    assert (found["rows/evaluated"], found["rows/saved"], found["rows/share"]) == (1_200.0, 8_800.0, 0.12)
    assert found["loss/cut"] == 3.0
    assert not any(math.isnan(value) for value in found.values())
    assert "loss/smallest_effect" not in found


def test_the_looks_are_curves_over_the_rows():
    looks = pd.DataFrame({"n": [50, 100], "loss": [0.1, 0.2], "loss_low": [0.0, 0.1], "loss_high": [0.3, 0.3]})
    assert series_of(looks, ["loss"]) == [
        ("loss/seen", 0.1, 50), ("loss/seen_low", 0.0, 50), ("loss/seen_high", 0.3, 50),
        ("loss/seen", 0.2, 100), ("loss/seen_low", 0.1, 100), ("loss/seen_high", 0.3, 100),
    ]  # fmt: skip
