"""What batches are off by, against theory; and the same batches as the command draws."""

import numpy as np
import pytest

import pipeline as bs
from pipeline.config import composed
from pipeline.study.drawn import drawn_metrics
from tests.evaluation import evaluated
from tests.face.given import two_models

LABELS, LOGITS, _ = two_models(2000)
ROWS = bs.scores(LABELS, logits=LOGITS)


@pytest.mark.parametrize("sampling", ["without_replacement", "with_replacement"])
@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_batches_are_off_by_what_theory_says(sampling, metric):
    found = bs.sweep(ROWS, [10, 100, 1000], draws=2000, sampling=sampling).metrics[metric]
    b, values = found["batch_size"].to_numpy(), ROWS.values(metric)
    left = (2000 - b) / 1999 if sampling == "without_replacement" else 1
    theory = np.sqrt(values.var() / b * left)
    assert found["se"].to_numpy() == pytest.approx(theory)
    # The relative error of a root mean square of 2,000 draws is near 1/sqrt(2 · 2000) = 1.6 %; times 4.
    assert found["rmse"].to_numpy() == pytest.approx(theory, rel=0.065)


def test_a_seed_draws_the_batches_that_the_command_draws(stages_of):
    intervals = composed([]).interval
    stages = stages_of(batch_size=40, draws=60, seed=5, design="without_replacement", intervals=intervals)
    metrics = evaluated(stages).metrics
    scores, _ = stages.scores()
    found = bs.sweep(bs.scores(loss=scores.loss, correct=scores.correct), [40], draws=60, seed=5)
    for name in ("loss", "accuracy"):
        own = found.metrics[name].iloc[0]
        for figure in ("all", "mean", "se", "rmse", "bias", "half_width", "coverage"):
            assert own[figure] == pytest.approx(metrics[f"{name}/{figure}"], rel=1e-9, abs=1e-12), figure


def test_sizes_above_all_rows_are_refused_by_name_where_no_row_comes_twice():
    with pytest.raises(
        bs.BadInput, match=r"^batch_sizes must be from 1 to the 2,000 that there are; found 2001, 5000: "
    ):
        bs.sweep(ROWS, [10, 5000, 2001], draws=2)
    assert bs.sweep(ROWS, [10, 2000], draws=2).loss["batch_size"].tolist() == [10, 2000]
    assert bs.sweep(ROWS, [5000], draws=2, sampling="with_replacement").loss["batch_size"].tolist() == [5000]


@pytest.mark.parametrize(("n", "sizes"), [(800, [10, 30, 100, 300]), (7, [7]), (1000, [10, 30, 100, 300, 1000])])
def test_the_usual_sizes_are_those_that_fit_the_rows(n, sizes):
    rows = bs.scores(correct=np.arange(n) % 3 > 0)
    assert bs.sweep(rows, draws=2).accuracy["batch_size"].tolist() == sizes


def test_groups_are_drawn_whole():
    found = bs.sweep(bs.scores(LABELS, logits=LOGITS, group=np.arange(2000) // 4), [50], draws=500)
    assert found.loss["rmse"].iloc[0] == pytest.approx(found.loss["se"].iloc[0], rel=0.15)


def test_every_picture_is_drawn_and_no_other():
    found = bs.sweep(ROWS, [10, 100], draws=20)
    for picture in ("funnel", "error", "coverage"):
        assert found.plot(picture).axes
    with pytest.raises(bs.BadInput, match="must be one of funnel, error, coverage; found 'cost'"):
        found.plot("cost")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_sizes": []}, "batch_sizes must be from 1 to the 2,000"),
        ({"batch_sizes": [0, 10]}, "batch_sizes must be from 1"),
        ({"sampling": "importance"}, "sampling must be one of without_replacement"),
        ({"draws": 0}, "draws must be a whole number of at least 1"),
        ({"loss": "betting"}, "^loss_cap must be the most that a loss can be"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(bs.BadInput, match=message):
        bs.sweep(ROWS, **given)


def test_the_mean_of_the_batches_is_that_of_their_frame():
    found = bs.sweep(ROWS, [10], draws=30)
    assert found.loss["mean"].iloc[0] == pytest.approx(found.batches["loss"].mean())
    assert drawn_metrics({}) == {}
