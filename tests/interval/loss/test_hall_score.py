import numpy as np
import pytest

from pipeline.estimation.draws import draw_batches
from pipeline.interval.loss.hall import Hall
from pipeline.interval.loss.hall_score import HallScore
from pipeline.interval.loss.score import Score
from pipeline.interval.loss.t import T
from pipeline.sampling import MEMBERS
from tests.populations import batches, scored_of, some_scores


@pytest.mark.parametrize("design", list(MEMBERS))
@pytest.mark.parametrize("target", ["population", "superpopulation"])
def test_it_is_halls_lower_end_and_the_higher_of_the_scores_and_students_upper_ends(design, target):
    rows = draw_batches(scored_of(some_scores(400), MEMBERS[design](), 60), seed=1, draws=20, target=target)["loss"]
    found, hall, score, student = (part().estimate(rows, 0.9) for part in (HallScore, Hall, Score, T))
    np.testing.assert_allclose(found.low, np.maximum(hall.low, 0.0), atol=1e-12)
    np.testing.assert_allclose(found.high, np.maximum(score.high, student.high))


def test_losses_that_are_nearly_equal_get_at_least_students_upper_end():
    rows = batches(np.random.default_rng(0).normal(2.3, 0.4, (500, 30)))
    found, score, student = (part().estimate(rows, 0.95) for part in (HallScore, Score, T))
    assert np.all(found.high >= student.high)
    assert np.any(score.high < student.high)


def test_a_batch_that_holds_no_large_loss_still_reaches_up_to_them():
    # 100 rows of a sure model. Where 1 % of its rows cost 10 nats, 37 % of the batches look like this.
    calm = batches(np.random.default_rng(1).exponential(0.01, (20, 100)))
    assert np.all(HallScore().estimate(calm, 0.95).high > 0.11)
    assert np.all(Hall().estimate(calm, 0.95).high < 0.02)


def test_one_row_leaves_all_numbers_possible_and_the_whole_population_no_width():
    found = HallScore().estimate(batches([[2.0]]), 0.95)
    assert (found.low[0], found.high[0]) == (-np.inf, np.inf)
    whole = HallScore().estimate(batches(np.random.default_rng(0).lognormal(size=(3, 9)), 9), 0.95)
    np.testing.assert_allclose(whole.low, whole.high)


def test_no_end_is_below_0_for_no_loss_is():
    rows = batches([[*[0.001] * 29, 3.0]])
    assert Hall().estimate(rows, 0.95).low[0] < 0
    assert HallScore().estimate(rows, 0.95).low[0] == 0
