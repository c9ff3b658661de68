import io
import itertools
import math
import sys
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from pipeline import files
from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.model import training
from pipeline.model.mlp import Mlp
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.records import Dataset
from pipeline.sampling.base import generator
from pipeline.scoring import score
from pipeline.study import train as study
from pipeline.study.train import Budget, Train, descend
from pipeline.tracking import Tracking

TARGETS = {"loss_target": 0.5, "accuracy_target": 0.85}
QUICK = {"learning_rates": [1.0], "budget": "steps", "budget_size": 100, **TARGETS}


@dataclass
class Stripes(Data):
    """Rows of 6 pixels; the class is the brighter half."""

    name: str = "stripes"
    split: str = "train"

    def load_split(self, split):
        rng = np.random.default_rng({"train": 4, "test": 5}[split])
        pixels = rng.integers(0, 256, size=({"train": 120, "test": 90}[split], 6), dtype=np.uint8)
        labels = (pixels[:, :3].sum(axis=1, dtype=int) < pixels[:, 3:].sum(axis=1, dtype=int)).astype(np.int64)
        if self.one_hot:
            labels = np.eye(2, dtype=np.float32)[labels]
        digest = files.content_digest(pixels.tobytes(), labels.tobytes())
        return Dataset(pixels, labels, n_classes=2, scale=1 / 255, name=f"stripes {split}", digest=digest)


@pytest.fixture
def stripes_of(setting_of):
    """A function from what varies to a Setting on the stripes."""

    def build(*, hidden=(8,), activation="tanh", one_hot=False, **changes):
        data = Stripes(one_hot=one_hot)
        model = Mlp(hidden=list(hidden), activation=activation)
        return replace(setting_of(dataset=data.load(), batch_size=changes.pop("batch_size", 20), **changes),
                       data=data, model=model)  # fmt: skip

    return build


@pytest.fixture
def work_of(stripes_of):
    """A function from what varies to what is trained."""

    def build(kind="steps", size=12, **changes):
        setting = stripes_of(**changes)
        return study._work(setting, setting.dataset, Budget(kind, size))

    return build


def naive_step(layers, inputs, labels, rate):
    """Tanh network, one loop a row: the mean loss, the share right, and the weights after the step."""
    changes = [(np.zeros(w.shape), np.zeros(b.shape)) for w, b in layers]
    losses, right = [], []
    (w1, b1), (w2, b2) = [(w.astype(np.float64), b.astype(np.float64)) for w, b in layers]
    for x, label in zip(inputs, labels, strict=True):
        h = np.tanh(x @ w1 + b1)
        z = h @ w2 + b2
        p = np.exp(z) / np.exp(z).sum()
        losses.append(-math.log(p[label]))
        right.append(z.argmax() == label)
        d2 = p - np.eye(len(p))[label]
        d1 = (w2 @ d2) * (1 - h * h)
        for (dw, db), below, delta in zip(changes, (x, h), (d1, d2), strict=True):
            dw += np.outer(below, delta) / len(inputs)
            db += delta / len(inputs)
    after = [(w - rate * dw, b - rate * db) for (w, b), (dw, db) in zip(layers, changes, strict=True)]
    return np.mean(losses), np.mean(right), after


def test_each_step_is_the_hand_made_update_and_its_batch_is_judged_by_the_weights_before_it(work_of):
    work = work_of(size=4)
    run = descend(work, 0.5)
    kept = {step: layers for step, _, layers in run.kept}
    assert list(kept) == [0, 1, 2, 3, 4]
    batches = training.batches_in_passes(120, 20, generator(0, 20, 0))
    for (step, _, loss, accuracy), rows in zip(run.batches, itertools.islice(batches, 4), strict=True):
        before = kept[step - 1]
        inputs = work.train.inputs[rows] / 255
        expected_loss, expected_accuracy, after = naive_step(before, inputs, work.train.labels[rows], 0.5)
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        logits = Network(before, "tanh").logits(inputs.astype(np.float32))
        assert loss == pytest.approx(cross_entropy(logits, work.train.labels[rows]).mean(), rel=1e-5)
        assert accuracy == expected_accuracy
        for layer, expected in zip(kept[step], after, strict=True):
            for array, wanted in zip(layer, expected, strict=True):
                np.testing.assert_allclose(array, wanted, rtol=1e-4, atol=1e-6)


def test_batches_are_cut_from_passes_in_which_every_row_comes_up_once():
    batches = training.batches_in_passes(10, 4, np.random.default_rng(0))
    rows = np.concatenate([next(batches) for _ in range(5)])
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))
    assert list(rows[:10]) != list(rows[10:])
    everything = training.batches_in_passes(10, 10, np.random.default_rng(0))
    assert all(sorted(next(everything)) == list(range(10)) for _ in range(3))


def test_the_first_weights_are_the_same_for_every_batch_size_and_others_for_another_seed(work_of):
    first, other_size, other_seed = (work_of(**changes) for changes in ({}, {"batch_size": 7}, {"seed": 1}))
    assert (first.start[0][0] == other_size.start[0][0]).all()
    assert (first.start[0][0] != other_seed.start[0][0]).any()


def without_seconds(result):
    return result.tables["training.parquet"].drop(columns="seconds")


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(stripes_of):
    first, again = (Train(**QUICK).answer(stripes_of()) for _ in range(2))
    pd.testing.assert_frame_equal(without_seconds(first), without_seconds(again), check_exact=True)
    another = Train(**QUICK).answer(stripes_of(seed=1))
    assert (without_seconds(first)["batch_loss"] != without_seconds(another)["batch_loss"]).any()


def test_the_splits_are_evaluated_with_the_weights_after_the_step(stripes_of):
    setting = stripes_of()
    frame = Train(**QUICK | {"budget_size": 3}).answer(setting).tables["training.parquet"].set_index("step")
    run = descend(study._work(setting, setting.dataset, Budget("steps", 3)), 1.0)
    for step, _, layers in run.kept:
        for split in ("train", "test"):
            scores = score(Network(layers, "tanh"), setting.data.load_split(split))
            assert frame.loc[step, f"{split}_loss"] == pytest.approx(scores.loss.mean(), rel=1e-12)
            assert frame.loc[step, f"{split}_accuracy"] == scores.correct.mean()
    assert math.isnan(frame.loc[0, "batch_loss"])


def test_what_is_logged_by_step_is_the_table_and_examples_are_steps_times_rows(stripes_of):
    result = Train(**QUICK).answer(stripes_of(batch_size=15))
    frame = result.tables["training.parquet"]
    assert (frame["examples"] == 15 * frame["step"]).all()
    by_name = {}
    for name, value, step in result.series:
        by_name.setdefault(name, {})[step] = value
    columns = {"train/batch_loss": "batch_loss", "train/batch_accuracy": "batch_accuracy", "train/loss": "train_loss",
               "train/accuracy": "train_accuracy", "test/loss": "test_loss", "test/accuracy": "test_accuracy",
               "train/seconds": "seconds", "train/examples": "examples"}  # fmt: skip
    assert set(by_name) == set(columns)
    indexed = frame.set_index("step")
    for name, column in columns.items():
        assert by_name[name] == pytest.approx(indexed.loc[list(by_name[name]), column].to_dict())
    assert {"loss/steps_to_target", "train/learning_rate", "accuracy/test"} <= set(result.metrics)


def test_one_hot_labels_learn_the_same_curve_as_integers(stripes_of):
    integers, one_hot = (Train(**QUICK).answer(stripes_of(one_hot=one_hot)) for one_hot in (False, True))
    pd.testing.assert_frame_equal(without_seconds(integers), without_seconds(one_hot), rtol=1e-6)


def test_a_target_is_reached_at_the_first_evaluation_at_it(stripes_of):
    result = Train(**QUICK).answer(stripes_of())
    frame = result.tables["training.parquet"].dropna(subset="test_loss")
    for metric, is_there in (("loss", frame["test_loss"] <= 0.5), ("accuracy", frame["test_accuracy"] >= 0.85)):
        first = frame[is_there].iloc[0]
        assert 0 < first["step"] < 100
        assert result.metrics[f"{metric}/steps_to_target"] == first["step"]
        assert result.metrics[f"{metric}/examples_to_target"] == 20 * first["step"]
        assert result.metrics[f"{metric}/seconds_to_target"] == first["seconds"]


def test_a_target_never_reached_is_infinite_and_said_in_words(stripes_of):
    result = Train(**QUICK | {"loss_target": 1e-9}).answer(stripes_of())
    for unit in ("steps", "examples", "seconds"):
        assert result.metrics[f"loss/{unit}_to_target"] == math.inf
        assert math.isfinite(result.metrics[f"accuracy/{unit}_to_target"])
    assert "a loss of 1e-09 nats not at all within 100 steps (it ended at 0." in result.summary
    assert result.shown.rows[0][2:5] == ("—", "—", "—")


def test_the_default_targets_are_twice_the_loss_and_the_errors_of_the_models_own_network(setting_of):
    setting = setting_of(batch_size=64)
    part = Train(learning_rates=[1.0])
    targets = part._targets(setting, setting.dataset)
    scores = score(setting.classifier, setting.dataset)
    assert 0 <= targets["loss"] - 2 * scores.loss.mean() < 0.01
    assert -1e-9 <= (1 - targets["accuracy"]) - 2 * (1 - scores.correct.mean()) < 0.001 + 1e-9
    assert part._targets(setting_of(batch_size=8, seed=3), setting.dataset) == targets
    assert Train(loss_target=0.1)._targets(setting, setting.dataset) == targets | {"loss": 0.1}


def test_digits_reach_the_default_targets_and_the_batches_never_touch_the_test_split(setting_of):
    result = Train(learning_rates=[1.0], budget_size=20_000).answer(setting_of(batch_size=64))
    assert result.metrics["loss/examples_to_target"] < 10_000
    assert result.metrics["accuracy/examples_to_target"] < 10_000
    assert result.metrics["loss/train"] < result.metrics["loss/test"]
    assert result.metrics["budget/examples"] == 64 * (20_000 // 64)
    assert result.metrics["budget/size"] == 20_000
    assert list(result.figures) == ["training_curves"]


class Clock:
    """Half a second passes between any two looks."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.5
        return self.now


@pytest.mark.parametrize(
    ("kind", "size", "steps"),
    [
        ("steps", 7, 7),
        ("steps", 7.9, 7),
        ("examples", 140, 7),
        ("examples", 159, 7),
        ("seconds", 3.5, 7),
        ("seconds", 3.1, 7),
    ],
)
def test_each_kind_of_budget_is_held(work_of, kind, size, steps):
    run = descend(work_of(kind, size), 0.1, clock=Clock())
    assert run.steps == steps
    assert run.seconds == pytest.approx(0.5 * steps)
    assert run.kept[-1][0] == steps


def test_the_default_budget_is_four_passes_and_at_least_40000_examples():
    assert Train()._budget(60_000) == Budget("examples", 240_000)
    assert Train()._budget(797) == Budget("examples", 40_000)
    assert Train(budget="steps")._budget(797) == Budget("steps", 1_000)
    assert Train(budget="seconds", budget_size=0.5)._budget(797) == Budget("seconds", 0.5)


@pytest.mark.parametrize("size", [30, 3_000, 9_000])
def test_evaluations_and_recorded_batches_are_few_however_long_the_training(work_of, size):
    run = descend(work_of(size=size, hidden=(2,), batch_size=2), 0.01)
    steps = [step for step, *_ in run.batches]
    assert len(steps) == len(set(steps)) <= 2000
    assert len(set(np.diff(steps))) == 1
    assert steps[-1] > size - 8
    evaluated = [step for step, *_ in run.kept]
    assert evaluated[0] == 0
    assert evaluated[-1] == size
    assert len(evaluated) <= 62
    # A target is met at most 15 % of the steps, or a step, or a twentieth of the budget after it could be seen.
    late = [step for step in evaluated if step > 0.001 * size]
    assert all(
        after - before <= max(1.16 * before - before + 1, 0.05 * size + 1) for before, after in itertools.pairwise(late)
    )


def test_the_rate_with_the_lowest_train_loss_at_the_end_is_taken_whatever_the_test_split_says(stripes_of):
    rates = [0.001, 1.0, 0.03]
    result = Train(**QUICK | {"learning_rates": rates}).answer(stripes_of())
    trials = result.tables["learning_rates.csv"].set_index("learning_rate")
    assert list(trials.index) == sorted(rates)
    losses = {}
    for rate in rates:
        alone = Train(**QUICK | {"learning_rates": [rate]}).answer(stripes_of())
        losses[rate] = alone.metrics["loss/train"]
    assert trials["train_loss"].to_dict() == losses
    best = min(losses, key=losses.get)
    assert result.metrics["train/learning_rate"] == best == trials.index[trials["is_chosen"]].item()
    assert result.metrics["loss/train"] == losses[best]


def test_of_equal_rates_the_smallest_is_taken(stripes_of, monkeypatch):
    monkeypatch.setattr(study, "_of_layers", lambda *_: (0.5, 0.5))
    assert (
        Train(**QUICK | {"learning_rates": [0.3, 0.1, 0.2]}).answer(stripes_of()).metrics["train/learning_rate"] == 0.1
    )


def test_a_rate_that_runs_away_loses_and_the_study_goes_on(stripes_of):
    setting = stripes_of(hidden=(8, 8), activation="relu")
    result = Train(**QUICK | {"learning_rates": [1e30, 0.1]}).answer(setting)
    assert result.metrics["train/learning_rate"] == 0.1
    trials = result.tables["learning_rates.csv"].set_index("learning_rate")
    assert math.isnan(trials.loc[1e30, "train_loss"])
    assert trials.loc[1e30, "steps"] < 100
    assert "1e+30: ran away" in " ".join(result.notes)
    with pytest.raises(
        BadInput, match=r"learning_rates must hold one that keeps the loss finite; found none in 1e\+30"
    ):
        Train(**QUICK | {"learning_rates": [1e30]}).answer(setting)


def test_a_best_rate_at_the_end_of_the_grid_is_pointed_out(stripes_of):
    notes = Train(**QUICK | {"learning_rates": [0.001, 1.0]}).answer(stripes_of()).notes
    assert "1 is the largest rate tried: a larger one might do better" in notes
    assert not any("tried" in note for note in Train(**QUICK).answer(stripes_of()).notes)


def test_all_rows_in_every_step_is_gradient_descent_on_the_train_splits_own_loss(stripes_of):
    frame = Train(**QUICK | {"budget_size": 5}).answer(stripes_of(batch_size=120)).tables["training.parquet"]
    np.testing.assert_allclose(frame["batch_loss"][1:], frame["train_loss"][:-1], rtol=1e-5)


def test_what_cannot_be_trained_is_refused_in_one_line(stripes_of):
    part = Train(**QUICK)
    with pytest.raises(BadInput, match=r"at most the train split's 120 rows .* found 121: choose 120"):
        part.answer(stripes_of(batch_size=121))
    with pytest.raises(BadInput, match=r"model must be mlp for study=train.* found npz: choose model=mlp"):
        part.answer(replace(stripes_of(), model=Npz(path="weights.npz", activation="relu")))
    with pytest.raises(BadInput, match=r"study\.budget_size must hold at least one batch of 20 examples; found 19"):
        Train(**QUICK | {"budget": "examples", "budget_size": 19}).answer(stripes_of())


def test_a_reference_that_is_too_poor_to_set_a_target_is_refused(stripes_of):
    poor = Network([(np.zeros((6, 2), "f4"), np.array([3, -3], "f4"))], "relu")
    with pytest.raises(BadInput, match=r"study\.accuracy_target must be given"):
        Train(**QUICK | {"accuracy_target": None}).answer(replace(stripes_of(), classifier=poor))


BAD_FIELDS = {
    "no rate": ({"learning_rates": []}, r"learning_rates must hold at least one rate.*found none"),
    "rate 0": ({"learning_rates": [0.1, 0.0]}, r"learning_rates must be numbers above 0.*found 0\.0"),
    "rate NaN": ({"learning_rates": [math.nan]}, r"learning_rates must be .*found nan"),
    "rate inf": ({"learning_rates": [math.inf]}, r"learning_rates must be .*found inf"),
    "budget": ({"budget": "epochs"}, r"study\.budget must be one of examples, steps, seconds; found 'epochs'"),
    "budget_size": ({"budget_size": 0.5}, r"study\.budget_size must be at least 1 \(examples\), or null; found 0\.5"),
    "no time": ({"budget": "seconds", "budget_size": 0.0}, r"study\.budget_size must be above 0 seconds.*found 0\.0"),
    "endless": ({"budget": "steps", "budget_size": math.inf}, r"study\.budget_size must be .*found inf"),
    "loss_target": ({"loss_target": -1.0}, r"study\.loss_target must be above 0 nats, or null; found -1\.0"),
    "accuracy_target": ({"accuracy_target": 95.0}, r"study\.accuracy_target must be in \(0, 1\], or null; found 95\.0"),
}


@pytest.mark.parametrize(("fields", "message"), BAD_FIELDS.values(), ids=list(BAD_FIELDS))
def test_nonsense_is_refused_when_the_part_is_built(fields, message):
    with pytest.raises(BadInput, match=message):
        Train(**fields)


def test_a_bar_is_shown_on_a_terminal_but_not_under_another(stripes_of, capfd, monkeypatch):
    from rich.console import Console
    from rich.progress import Progress

    from pipeline.model import mlp

    monkeypatch.setattr(mlp, "_SILENT_SECONDS", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    Train(**QUICK).answer(stripes_of())
    assert "Training with 20 rows a step" in capfd.readouterr().err
    with Progress(console=Console(file=io.StringIO(), force_terminal=True)):
        Train(**QUICK).answer(stripes_of())
    assert "Training with" not in capfd.readouterr().err


@pytest.mark.slow
def test_make_train_ends_in_a_table_a_conclusion_and_plots_on_the_parent(command, tmp_path, own_mlruns):
    done = command("--multirun", "+experiment=train", "batch_size=64,797", "study.budget_size=3000",
                   "study.learning_rates=[1.0]", "study.loss_target=0.4", "study.accuracy_target=0.99",
                   mlruns=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "targets: a loss of 0.4 nats and an accuracy of 99 % on the test split" in done.stdout
    assert "Budget held: 3,000 examples" in done.stdout
    said = " ".join(done.stdout.split())
    assert "To a loss of 0.4 nats b = 64 took" in said
    assert "b = 797 did not get there within 3,000 examples" in said
    assert "To an accuracy of 99 % no batch size got within 3,000 examples." in said
    store = Tracking(uri=f"sqlite:///{tmp_path}/mlflow.db").open()
    parent = store.newest_sweep()
    artifacts = tmp_path / "artifacts" / parent.info.run_id / "artifacts"
    plots = {"training_targets.png", "training_curves.png"}
    assert {path.name for path in artifacts.iterdir()} == {"cells.csv", "table.txt", *plots}
    cells = pd.read_csv(artifacts / "cells.csv")
    assert cells["batch_size"].tolist() == [64, 797]
    assert np.isinf(cells["loss/steps_to_target"]).tolist() == [False, True]
    assert cells["population"].unique().tolist() == ["digits train"]
    (cell, _) = store.children(parent.info.run_id)
    history = store.metric_history(cell.info.run_id, "test/loss")
    assert history[0][0] == 0
    assert len(history) <= 62
    table = store.read_table(cell.info.run_id, "training.parquet")
    assert list(table) == ["step", "examples", "seconds", "batch_loss", "batch_accuracy", "train_loss",
                           "train_accuracy", "test_loss", "test_accuracy"]  # fmt: skip
