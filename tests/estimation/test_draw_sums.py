"""The sums over draws against NumPy, by whichever way they are made."""

import numpy as np
import pytest

from pipeline.estimation import draw_sums
from pipeline.estimation.draw_sums import by_metric, by_stratum, places, sums_of_draws, table_of
from pipeline.estimation.power_sums import PowerSums
from pipeline.records.scores import Scores
from pipeline.runtime import cores
from pipeline.sampling import MEMBERS
from tests.populations import scored_of, some_scores


def terms_of(scored):
    return {m: PowerSums.of(scored.totals(m), scored.plan, metric=m, drawn=scored.drawn) for m in scored.metrics}


# A share of 0.1 takes rows, one of 0.5 counts how often each was drawn.
@pytest.mark.parametrize("batch_size", [20, 100])
@pytest.mark.parametrize("design", ["with_replacement", "without_replacement"])
def test_each_draw_s_sums_are_those_of_its_rows(design, batch_size):
    scored = scored_of(some_scores(200), MEMBERS[design](), batch_size)
    terms = terms_of(scored)
    found = sums_of_draws(scored, terms, seed=3, draws=6)
    for i in range(6):
        rows = scored.plan.batch(3, i).indices
        centred = scored.scores.loss[rows] - scored.scores.loss.mean()
        np.testing.assert_allclose(found["loss"][i, 0], [(centred**k).sum() for k in (1, 2, 3)], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found["accuracy"][i, 0], [scored.scores.correct[rows].sum()])


def test_only_a_draw_with_an_infinite_value_has_an_infinite_sum():
    scores = some_scores(200)
    loss = scores.loss.copy()
    loss[17] = np.inf
    scored = scored_of(Scores(loss, scores.correct), MEMBERS["without_replacement"](), 100, frame=None)
    found = sums_of_draws(scored, terms_of(scored), seed=0, draws=20)["loss"][:, 0, 0]
    holds = [17 in scored.plan.batch(0, i).indices for i in range(20)]
    assert 0 < sum(holds) < 20
    np.testing.assert_array_equal(np.isinf(found), holds)


def test_strata_are_summed_one_by_one():
    scored = scored_of(some_scores(200), MEMBERS["stratified"](by="label"), 30)
    found = sums_of_draws(scored, terms_of(scored), seed=1, draws=4)["accuracy"]
    ends = np.cumsum(scored.plan.strata.drawn)
    for i in range(4):
        right = scored.scores.correct[scored.plan.batch(1, i).indices]
        np.testing.assert_array_equal(found[i, :, 0], [part.sum() for part in np.split(right, ends[:-1])])
    rows = np.arange(120.0).reshape(60, 2)
    both = by_stratum(rows, scored.plan, 2)
    assert both.shape == (2, len(ends), 2)
    np.testing.assert_array_equal(both.sum(axis=1), rows.reshape(2, 30, 2).sum(axis=1))
    np.testing.assert_array_equal(both[1], [part.sum(axis=0) for part in np.split(rows[30:], ends[:-1])])


def test_the_table_is_split_by_metric_again():
    terms = terms_of(scored_of(some_scores(50), MEMBERS["with_replacement"](), 5))
    table = table_of(terms)
    assert table.shape == (50, 4)
    parts = by_metric(terms, table)
    np.testing.assert_array_equal(parts["loss"], terms["loss"].columns)
    np.testing.assert_array_equal(parts["accuracy"], terms["accuracy"].columns)


def test_the_places_of_a_draw_among_the_scored_units_lead_back_to_its_units():
    design = MEMBERS["without_replacement"]()
    drawn = np.unique(scored_of(some_scores(90), design, 10).plan.batch(5, 2).indices)
    scored = scored_of(some_scores(90), design, 10, drawn=drawn)
    np.testing.assert_array_equal(drawn[places(scored, 5, 2)], scored.plan.batch(5, 2).indices)


@pytest.mark.parametrize("design", ["with_replacement", "epoch"])
def test_the_sums_are_bit_for_bit_the_same_on_any_number_of_cores(design, monkeypatch):
    # Few draws a stripe, so that threads take turns at the passes of sampling=epoch.
    scored = scored_of(some_scores(3_000), MEMBERS[design](), 1_000)
    monkeypatch.setattr(draw_sums, "_SHARED_UNITS", 1_000)
    found = []
    for n_cores in (1, 4):
        monkeypatch.setattr(cores, "count", lambda n_cores=n_cores: n_cores)
        found.append(sums_of_draws(scored, terms_of(scored), seed=2, draws=60))
    for metric in found[0]:
        np.testing.assert_array_equal(found[0][metric], found[1][metric])
