import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.estimation.sample_size import _quotients, most_share_variance, most_variance, normal_size, smallest_batch
from pipeline.sampling import MEMBERS
from pipeline.scoring.rows import score
from pipeline.study.generated import POPULATIONS
from tests.populations import frame_of, some_scores


@pytest.mark.parametrize(
    ("metric", "tolerance", "with_replacement", "without"),
    [
        ("loss", 0.05, 697, 651),
        ("loss", 0.02, 4355, 3034),
        ("loss", 0.01, 17_419, 6353),
        ("accuracy", 0.02, 582, 550),
        ("accuracy", 0.01, 2328, 1888),
    ],
)
def test_the_sizes_of_a_published_network_against_the_published_table(
    book_scores, metric, tolerance, with_replacement, without
):
    variance = (book_scores.loss if metric == "loss" else book_scores.correct).astype(float).var()
    asked = {"tolerance": tolerance, "confidence": 0.95}
    assert normal_size(variance, **asked) == with_replacement
    assert normal_size(variance, population_size=10_000, **asked) == without


@pytest.fixture(scope="module")
def book_scores(mnist_root, book_network):
    from pipeline import data, model

    rows = data.MEMBERS["mnist"](root=str(mnist_root), split="test")
    network = model.MEMBERS["npz"](path=str(book_network)).build(rows)
    return score(network, rows.rows("test"))


@given(
    variance=st.floats(1e-4, 1e3),
    tolerance=st.floats(1e-3, 1.0),
    confidence=st.floats(0.5, 0.999),
    size=st.one_of(st.none(), st.integers(1, 10**7)),
)
def test_half_a_row_more_is_enough_and_half_a_row_less_is_not_against_the_standard_error(
    variance, tolerance, confidence, size
):
    n = normal_size(variance, tolerance=tolerance, confidence=confidence, population_size=size)
    z = stats.norm.ppf((1 + confidence) / 2)

    def reach(rows):
        left = 1.0 if size is None else 1 - rows / size
        return z * math.sqrt(max(variance / rows * left, 0.0))

    assert n >= 1
    assert n == int(n)
    assert reach(n + 0.5 * (1 + 1e-9)) <= tolerance * (1 + 1e-6)
    if n > 1:
        assert reach(n - 0.5 * (1 + 1e-9)) >= tolerance * (1 - 1e-6)


def test_a_variance_of_0_takes_one_row_an_infinite_one_no_number_and_an_unknown_one_is_not_known():
    asked = {"tolerance": 0.1, "confidence": 0.95}
    assert normal_size(0.0, **asked) == 1
    assert math.isinf(normal_size(math.inf, **asked))
    assert math.isnan(normal_size(math.nan, population_size=5, **asked))


@pytest.mark.parametrize("name", [name for name in MEMBERS if name != "systematic"])
def test_the_smallest_batch_is_enough_and_one_row_less_is_not(name):
    scores = some_scores(400)
    frame, design = frame_of(scores), MEMBERS[name]()

    def reach(batch_size):
        return stats.norm.ppf(0.975) * math.sqrt(design.plan(frame, batch_size).error_variance(scores.loss, "loss"))

    tolerance = reach(60)
    found = smallest_batch(
        design, frame, lambda plan: plan.error_variance(scores.loss, "loss"), tolerance=tolerance, confidence=0.95
    )
    assert reach(int(found)) <= tolerance < reach(int(found) - 1)
    assert abs(found - 60) <= 1


def test_a_systematic_batch_is_enough_at_its_size_and_at_every_larger_one_that_goes_around_evenly():
    scores = some_scores(600)
    frame, design = frame_of(scores), MEMBERS["systematic"]()

    def reach(batch_size):
        return stats.norm.ppf(0.975) * math.sqrt(design.plan(frame, batch_size).error_variance(scores.loss, "loss"))

    found = smallest_batch(
        design, frame, lambda plan: plan.error_variance(scores.loss, "loss"), tolerance=0.1, confidence=0.95
    )
    around = sorted({600 // k for k in range(1, 601)})
    assert found in around
    assert all(reach(b) <= 0.1 for b in around if b >= found)
    assert reach(max(b for b in around if b < found)) > 0.1


def test_no_number_is_enough_where_not_even_all_rows_are():
    scores = some_scores(50)
    found = smallest_batch(
        MEMBERS["without_replacement"](), frame_of(scores), lambda plan: 1.0, tolerance=0.1, confidence=0.95
    )
    assert math.isinf(found)


def test_the_share_of_pilots_whose_accuracy_limit_is_enough_is_at_least_the_assurance_against_enumeration():
    for n, p, assurance in [(30, 0.9, 0.8), (300, 0.935, 0.8), (300, 0.99, 0.95), (50, 0.3, 0.8)]:
        k = np.arange(n + 1)
        enough = [most_share_variance(int(right), n, assurance) >= p * (1 - p) for right in k]
        assert stats.binom.pmf(k, n, p)[enough].sum() >= assurance


def test_a_pilot_without_an_error_allows_for_the_errors_that_would_not_show_against_the_closed_form():
    unseen = 1 - 0.2 ** (1 / 300)
    assert most_share_variance(300, 300, 0.8) == pytest.approx(unseen * (1 - unseen))
    assert most_share_variance(0, 300, 0.8) == most_share_variance(300, 300, 0.8)
    assert most_share_variance(50, 100, 0.8) == 0.25


@given(st.integers(31, 400), st.floats(0.55, 0.99))
def test_the_loss_limit_scales_with_the_losses_squared_and_grows_with_the_assurance(n, assurance):
    losses = np.random.default_rng(n).exponential(1, n)
    limit = most_variance(losses, assurance)
    assert most_variance(3 * losses, assurance) == pytest.approx(9 * limit, rel=1e-6)
    assert most_variance(losses, (1 + assurance) / 2) > limit > 0


# That of 1,000 classes takes seconds to make.
@pytest.mark.parametrize("name", [name for name in POPULATIONS if name != "1,000 classes"])
@pytest.mark.parametrize("rows", [50, 100, 300])
def test_a_pilots_loss_limit_is_enough_for_the_assured_share_of_pilots_of_every_population_of_the_battery(name, rows):
    losses, rng = POPULATIONS[name](np.random.default_rng(3), 5_000), np.random.default_rng(4)
    limits = [most_variance(rng.choice(losses, rows), 0.8, is_loss=True) for _ in range(100)]
    # One row in a thousand makes up most of a lognormal population's variance, and no pilot has seen its like.
    assured = 0.6 if name.startswith("lognormal") else 0.8
    enough = int((np.array(limits) >= losses.var()).sum())
    assert stats.binomtest(enough, 100, assured, alternative="less").pvalue > 0.001


def test_the_row_that_a_pilot_is_taken_to_have_missed_is_smaller_in_larger_pilots_and_of_losses_that_are_alike():
    spread = np.array([0.0, 0.4])
    of = [most_variance(np.tile(spread, m // 2), 0.8, is_loss=True) for m in (50, 100, 400)]
    assert of[0] > 1.5 * of[1] > 4 * of[2] > 0
    alike = most_variance(2 + np.tile(spread, 25), 0.8, is_loss=True)
    assert most_variance(np.tile(spread, 25), 0.8) < alike < of[0] / 10
    # A tail heavier than an exponential one's enlarges the limit, however many rows there are.
    tail = np.append(np.full(999, 0.01), 9.0)
    assert most_variance(tail, 0.8, is_loss=True) > 1.4 * most_variance(tail, 0.8)


def test_the_loss_limit_of_equal_and_of_infinite_losses():
    assert math.isnan(most_variance(np.full(40, 0.3), 0.8))
    assert math.isinf(most_variance(np.array([0.1, math.inf, 0.2]), 0.8))


def test_the_loss_limit_is_enough_for_about_the_assured_share_of_pilots_of_a_published_network(book_scores):
    losses, rng = book_scores.loss, np.random.default_rng(7)
    limits = [most_variance(rng.choice(losses, 300, replace=False), 0.8, is_loss=True) for _ in range(400)]
    enough = int((np.array(limits) >= losses.var()).sum())
    assert stats.binomtest(enough, 400, 0.8, alternative="less").pvalue > 0.001
    assert np.median(limits) < 2.5 * losses.var()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 12, 99, 100, 101, 600, 10_007])
def test_the_quotients_of_a_number_are_found_without_dividing_it_by_all_up_to_it(size):
    assert _quotients(size) == sorted({size // k for k in range(1, size + 1)}, reverse=True)
