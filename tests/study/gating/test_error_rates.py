import numpy as np
import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.sampling.units import Units
from pipeline.study.gating.error_rates import audit_of, check_of
from pipeline.study.gating.rule import Rule
from tests.study.gating.two_columns import COLUMNS, LOSS, MARGINS, METRICS, RIGHT


def test_the_check_keeps_the_promise_and_is_the_same_for_the_same_seed():
    first, again, other = (check_of(COLUMNS, METRICS, MARGINS, confidence=0.95, seed=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert first.is_kept
    assert first.worse <= first.worse_at_0 <= 0.07
    assert (first.draws, first.rows, first.at_most) == (2000, 500, 0.05)


def test_groups_take_the_place_of_rows_in_the_check_and_the_audit():
    units = Units(500, None, np.arange(500), np.arange(0, 501, 10))
    check = check_of(COLUMNS, METRICS, MARGINS, confidence=0.95, seed=0, units=units)
    assert check.rows == 50
    assert check.is_kept
    audit, _ = audit_of(Rule(Accuracy(), 0.02), RIGHT, confidence=0.95, seed=0, effect=0.05, units=units)
    assert audit.fails[0] < audit.fails[1] < audit.fails[2]


def test_an_audit_names_no_difference_the_threshold_and_twice_the_threshold():
    audit, rates = audit_of(Rule(Loss(), 0.02), LOSS, confidence=0.95, seed=0, effect=0.03)
    assert audit.at == pytest.approx((0.0, 0.02, 0.04))
    assert audit.fails[0] < audit.fails[1] < audit.fails[2]
    assert audit.worse[1] < 0.05
    assert set(np.round(-np.array(audit.at), 12)) <= set(np.round(rates.gain, 12))
    assert (np.diff(rates.gain) > 0).all()
    zero, _ = audit_of(Rule(Accuracy(), 0.0), RIGHT, confidence=0.95, seed=0, effect=0.03)
    assert zero.at == (0.0, 0.0, 0.0)
