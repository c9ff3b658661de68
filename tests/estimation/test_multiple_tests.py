"""Holm's adjustment against a published example, its definition, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.multiple_tests import e_bh, holm


def test_five_p_values_as_published_tools_adjust_them():
    assert holm([0.001, 0.013, 0.02, 0.04, 0.3]) == pytest.approx([0.005, 0.052, 0.06, 0.08, 0.3])


def test_the_order_and_the_shape_are_those_of_the_p_values():
    assert holm([[0.3, 0.001], [0.02, 0.04]]) == pytest.approx(np.array([[0.3, 0.004], [0.06, 0.08]]))


def test_a_test_that_could_not_be_made_counts_for_none():
    found = holm([np.nan, 0.02, np.nan, 0.04])
    assert np.isnan(found).tolist() == [True, False, True, False]
    assert found[[1, 3]] == pytest.approx([0.04, 0.04])
    assert holm([]).shape == (0,)


def test_one_test_is_not_adjusted_and_none_is_above_1():
    assert holm([0.2]) == pytest.approx([0.2])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])


def test_it_rejects_what_the_step_down_rule_rejects():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = rng.random(6) ** 3
        kept = np.ones(6, dtype=bool)
        for i, at in enumerate(np.argsort(p)):
            if p[at] >= 0.05 / (6 - i):
                break
            kept[at] = False
        assert ((holm(p) < 0.05) == ~kept).all()


def test_the_chance_of_a_false_claim_is_at_most_alpha():
    rng, false = np.random.default_rng(1), 0
    for _ in range(4000):
        # Four tests without an effect, which depend on each other, and one with a large effect.
        z = rng.normal(size=4) * 0.6 + 0.8 * rng.normal()
        p = np.append(2 * stats.norm.sf(np.abs(z)), 1e-9)
        false += bool((holm(p)[:4] < 0.05).any())
    assert stats.binomtest(false, 4000, 0.05, alternative="greater").pvalue > 0.001


def test_e_bh_of_the_known_example():
    assert e_bh([120, 60, 41, 3, 0.5], 0.05).tolist() == [True, True, True, False, False]
    assert e_bh([3, 0.5, 41, 120, 60], 0.05).tolist() == [False, False, True, True, True]
    # 33.3 is what the third needs.
    assert e_bh([120, 60, 33, 3, 0.5], 0.05).sum() == 2
    assert not e_bh([3.0, 1.0], 0.05).any()


def test_e_bh_keeps_the_share_of_false_rejections():
    rng, shares = np.random.default_rng(4), []
    for _ in range(2000):
        # Likelihood ratios of normal means 2 against 0; 15 of 20 hypotheses are true, and they depend on each other.
        z = 0.6 * rng.normal(size=20) + 0.8 * rng.normal() + np.where(np.arange(20) < 5, 3.0, 0.0)
        rejected = e_bh(np.exp(2 * z - 2), 0.1)
        shares.append(rejected[5:].sum() / max(1, rejected.sum()))
    assert np.mean(shares) <= 0.1 + 3 * np.std(shares) / np.sqrt(len(shares))
