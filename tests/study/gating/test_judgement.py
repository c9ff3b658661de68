"""A judgement has the findings, and the check where it is due."""

import numpy as np
import pytest

from pipeline.metric.loss import Loss
from pipeline.study.gating.findings import findings_of
from pipeline.study.gating.judgement import judgement_of

RNG = np.random.default_rng(0)
COLUMNS = {"loss": (RNG.exponential(size=100), RNG.exponential(size=100))}
METRICS, MARGINS = {"loss": Loss()}, {"loss": 0.1}
ABOUT = {"names": ("a", "b"), "digests": ("1", "2"), "confidence": 0.95, "power": 0.8, "seed": 0}


def test_the_findings_are_those_of_the_columns():
    found = judgement_of(COLUMNS, METRICS, MARGINS, **ABOUT)
    assert found.findings == findings_of(COLUMNS, METRICS, MARGINS, confidence=0.95, power=0.8)
    assert (found.baseline, found.candidate, found.digests) == ("a", "b", ("1", "2"))


@pytest.mark.parametrize(("is_exact", "is_checked"), [(False, True), (False, False), (True, True)])
def test_only_what_is_left_to_chance_is_checked(is_exact, is_checked):
    found = judgement_of(COLUMNS, METRICS, MARGINS, is_exact=is_exact, is_checked=is_checked, **ABOUT)
    assert (found.check is not None) == (is_checked and not is_exact)
    assert found.is_exact == is_exact
