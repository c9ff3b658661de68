import itertools
import re
import sqlite3

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import BadInput
from pipeline.model.mlp import Mlp
from pipeline.model.network import Network
from pipeline.scoring.rows import score
from pipeline.study.direction import MEMBERS as DIRECTIONS
from pipeline.study.direction.base import moved
from pipeline.study.landscape import Landscape

METRICS = ("loss", "accuracy")


def along(name="random", **changes):
    return Landscape(**{"direction": DIRECTIONS[name](), "points": 21, "batch_sizes": [10]} | changes)


def frame_of(result, curve):
    frame = result.tables["landscape.parquet"]
    return frame[frame["curve"] == curve].reset_index(drop=True)


@pytest.fixture
def batch(stages_of):
    stages = stages_of()
    rows = stages.plan.batch(0, 0).indices
    return stages.rows, np.asarray(rows)


@pytest.mark.parametrize("population", [True, False])
def test_at_0_it_finds_what_evaluating_the_model_finds(stages_of, batch, population):
    stages = stages_of()
    result = along(population=population).answer(stages)
    scores = score(stages.classifier, stages.rows, batch[1])
    here = frame_of(result, "b50").query("alpha == 0")
    assert here["loss"].item() == pytest.approx(scores.loss.mean(), rel=1e-6)
    assert here["accuracy"].item() == scores.correct.mean()
    assert ("all" in set(result.tables["landscape.parquet"]["curve"])) == population


def test_the_same_batch_is_evaluated_at_every_point_against_moved_networks(stages_of, batch):
    stages = stages_of()
    result = along().answer(stages)
    direction = DIRECTIONS["random"]().of(stages.classifier, stages)
    for row in frame_of(result, "b50").iloc[::5].itertuples():
        scores = score(moved(stages.classifier, direction, row.alpha), *batch)
        assert row.loss == pytest.approx(scores.loss.mean(), rel=1e-4)
        assert row.accuracy == pytest.approx(scores.correct.mean(), abs=0.0201)


@pytest.mark.parametrize("name", ["gradient", "random", "weight"])
def test_accuracies_are_multiples_of_one_row_and_the_figures_are_those_of_a_naive_count(stages_of, name):
    result = along(name).answer(stages_of())
    found = result.metrics
    assert found["steps"] == 20
    for curve, size, suffix in (("b50", 50, ""), ("b10", 10, "/b10"), ("all", 1000, "/all")):
        frame = frame_of(result, curve)
        np.testing.assert_allclose(frame["accuracy"] * size, np.round(frame["accuracy"] * size), atol=1e-9)
        for metric in METRICS:
            values = frame[metric].tolist()
            jumps = [abs(b - a) for a, b in itertools.pairwise(values)]
            assert found[f"{metric}/distinct{suffix}"] == len(set(values))
            assert found[f"{metric}/flat{suffix}"] == sum(jump == 0 for jump in jumps) / 20
            assert found[f"{metric}/largest_jump{suffix}"] == max(jumps)


def test_every_curve_is_logged_by_step_with_alpha_beside_it(stages_of):
    result = along().answer(stages_of())
    series = pd.DataFrame(result.series, columns=["key", "value", "step"])
    curves = {f"{metric}/{curve}" for metric in METRICS for curve in ("b10", "b50", "all")}
    assert set(series["key"]) == {"alpha"} | curves
    assert all(own["step"].tolist() == list(range(21)) for _, own in series.groupby("key"))
    assert series.query("key == 'alpha'")["value"].tolist() == pytest.approx(np.linspace(-1, 1, 21))


def test_the_band_holds_the_quantiles_of_the_draws_at_every_point(stages_of):
    stages = stages_of(draws=100)
    frame = frame_of(along().answer(stages), "b50")
    direction = DIRECTIONS["random"]().of(stages.classifier, stages)
    rows = [stages.plan.batch(0, i).indices for i in range(100)]
    for at in (0, 10, 20):
        scores = score(moved(stages.classifier, direction, frame["alpha"][at]), stages.rows)
        for metric, values in (("loss", scores.loss), ("accuracy", scores.correct)):
            means = [values[own].mean() for own in rows]
            low, high = np.quantile(means, [0.025, 0.975], method="inverted_cdf")
            assert frame[f"{metric}_low"][at] == pytest.approx(low, rel=1e-3, abs=0.0201 * (metric == "accuracy"))
            assert frame[f"{metric}_high"][at] == pytest.approx(high, rel=1e-3, abs=0.0201 * (metric == "accuracy"))


def test_without_the_population_the_band_is_the_batchs_own_interval(stages_of, batch):
    stages = stages_of()
    frame = frame_of(along(population=False).answer(stages), "b50").query("alpha == 0")
    loss = score(stages.classifier, *batch).loss
    half = 2.0095752 * loss.std(ddof=1) / np.sqrt(50)  # scipy.stats.t.ppf(0.975, 49)
    assert frame["loss_low"].item() == pytest.approx(loss.mean() - half, rel=1e-5)
    assert frame["loss_high"].item() == pytest.approx(loss.mean() + half, rel=1e-5)


def test_a_weight_before_a_step_makes_stairs_of_the_loss_and_one_before_a_sigmoid_does_not(stages_of):
    trained = stages_of().classifier
    found = {}
    for activation in ("sigmoid", "step"):
        network = Network(trained.layers, activation)
        found[activation] = along("weight", points=201).answer(stages_of(classifier=network)).metrics
    assert found["sigmoid"]["loss/flat"] == 0
    assert found["sigmoid"]["loss/distinct"] == 201
    # Each of the 50 rows can switch its unit once.
    assert 1 < found["step"]["loss/distinct"] <= 51
    assert found["step"]["loss/flat"] >= 0.75


def test_a_weight_behind_the_steps_moves_the_loss_smoothly_all_the_same(stages_of):
    network = Network(stages_of().classifier.layers, "step")
    weight = DIRECTIONS["weight"](weight="b2[3]")
    assert along(direction=weight).answer(stages_of(classifier=network)).metrics["loss/flat"] == 0


def test_over_a_plane_every_point_is_evaluated_and_neighbours_are_those_of_both_sides(stages_of):
    stages = stages_of()
    other = DIRECTIONS["random"](index=1)
    result = along(other=other, points=5, low=-0.5, high=0.5).answer(stages)
    frame = frame_of(result, "all")
    side = np.linspace(-0.5, 0.5, 5)
    np.testing.assert_allclose(frame[["alpha", "beta"]], [(a, b) for a in side for b in side])
    d, e = (part.of(stages.classifier, stages) for part in (DIRECTIONS["random"](), other))
    expected = score(moved(moved(stages.classifier, d, -0.5), e, 0.25), stages.rows)
    assert frame["loss"][3] == pytest.approx(expected.loss.mean(), rel=1e-4)
    grid = frame["loss"].to_numpy().reshape(5, 5)
    jumps = np.abs(np.concatenate([np.diff(grid, axis=0).ravel(), np.diff(grid, axis=1).ravel()]))
    assert result.metrics["steps"] == len(jumps) == 40
    assert result.metrics["loss/largest_jump/all"] == jumps.max()
    assert result.series == []
    assert set(result.figures) == {"landscape_plane"}


def test_a_line_through_the_same_direction_twice_is_refused(stages_of):
    with pytest.raises(BadInput, match=r"study\.other must not be parallel to study\.direction"):
        along(other=DIRECTIONS["random"]()).answer(stages_of())


def test_sizes_that_the_design_cannot_draw_are_left_out_and_named(stages_of):
    result = along(batch_sizes=[10, 2000]).answer(stages_of(design="without_replacement"))
    assert set(result.tables["landscape.parquet"]["curve"]) == {"b10", "b50", "all"}
    assert "batches of 2,000 rows are left out: without_replacement draws no more than 1,000" in result.notes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": 20}, r"study\.points must be an odd whole number of at least 3, or null; found 20"),
        ({"points": 1}, r"study\.points must be an odd"),
        ({"low": float("nan")}, r"study\.low must be a finite number, or null; found nan"),
        ({"high": float("inf")}, r"study\.high must be a finite number"),
        ({"batch_sizes": [0]}, r"study\.batch_sizes must be whole numbers of at least 1; found \[0\]"),
    ],
)
def test_nonsense_is_refused(changes, message):
    with pytest.raises(BadInput, match=message):
        along(**changes)


def test_a_range_the_wrong_way_round_is_refused(stages_of):
    with pytest.raises(BadInput, match=r"study\.low must be less than study\.high; found 1 and -1"):
        along(low=1.0, high=-1.0).answer(stages_of())


def test_an_activation_put_into_the_trained_network_leaves_the_weights_and_the_cache_alone(stages_of):
    stages = stages_of()
    step = Mlp(evaluate_activation="step").build(stages.experiment.data)
    assert step.activation == "step"
    for (W, b), (V, c) in zip(step.layers, stages.classifier.layers, strict=True):
        assert (W == V).all()
        assert (b == c).all()
    assert Mlp(evaluate_activation="relu").build(stages.experiment.data).digest == stages.classifier.digest
    with pytest.raises(BadInput, match=r"model\.evaluate_activation must be one of sigmoid, relu, tanh, step, or null"):
        Mlp(evaluate_activation="gelu")


@pytest.mark.slow
def test_step_versus_sigmoid_from_the_command_line(command, tmp_path):
    done = command("--multirun", "+experiment=step_versus_sigmoid", "study.points=41", "draws=50", mlruns=tmp_path)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert re.search(
        r"With step the loss itself stands still at \d\d\.\d % of them: stairs; with sigmoid it is a slope", said
    )
    assert max(map(len, done.stdout.splitlines())) <= 130
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        (parent,) = store.execute("select run_uuid from tags where key = 'kind' and value = 'sweep'").fetchone()
        keys = {key for (key,) in store.execute("select distinct key from metrics")}
    assert (tmp_path / "artifacts" / parent / "artifacts" / "landscape.png").is_file()
    assert {"alpha", "loss/b100", "accuracy/b100", "loss/distinct", "accuracy/largest_jump"} <= keys


def test_an_unknown_weight_is_one_line_and_status_2(request_of):
    done = request_of("study=landscape", "study/direction=weight", "study.direction.weight=W9.0.0")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert "a weight must be one of the model's, W1[0,0] … W1[63,127], b1[0] … b1[127]" in line
