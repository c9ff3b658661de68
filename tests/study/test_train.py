import math
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model.descent import Budget, descend
from pipeline.model.mlp import Mlp
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.records.rows import Dataset
from pipeline.runtime import files
from pipeline.scoring.rows import score
from pipeline.study import train as study
from pipeline.study.train import Train
from pipeline.tracking.mlflow import Tracking
from tests.evaluation import changed

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
def stripes_of(stages_of):
    """A function from what varies to a Stages on the stripes."""

    def build(*, hidden=(8,), activation="tanh", one_hot=False, **changes):
        data = Stripes(one_hot=one_hot)
        model = Mlp(hidden=list(hidden), activation=activation)
        return changed(stages_of(dataset=data.load(), batch_size=changes.pop("batch_size", 20), **changes),
                       data=data, model=model)  # fmt: skip

    return build


@pytest.fixture
def work_of(stripes_of):
    """A function from what varies to what is trained."""

    def build(kind="steps", size=12, **changes):
        stages = stripes_of(**changes)
        return study._work(stages, stages.rows, Budget(kind, size))

    return build


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
    stages = stripes_of()
    frame = Train(**QUICK | {"budget_size": 3}).answer(stages).tables["training.parquet"].set_index("step")
    run = descend(study._work(stages, stages.rows, Budget("steps", 3)), 1.0)
    for step, _, layers in run.kept:
        for split in ("train", "test"):
            scores = score(Network(layers, "tanh"), stages.experiment.data.load_split(split))
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


def test_the_default_targets_are_twice_the_loss_and_the_errors_of_the_models_own_network(stages_of):
    stages = stages_of(batch_size=64)
    part = Train(learning_rates=[1.0])
    targets = part._targets(stages, stages.rows)
    scores = score(stages.classifier, stages.rows)
    assert 0 <= targets["loss"] - 2 * scores.loss.mean() < 0.01
    assert -1e-9 <= (1 - targets["accuracy"]) - 2 * (1 - scores.correct.mean()) < 0.001 + 1e-9
    assert part._targets(stages_of(batch_size=8, seed=3), stages.rows) == targets
    assert Train(loss_target=0.1)._targets(stages, stages.rows) == targets | {"loss": 0.1}


def test_digits_reach_the_default_targets_and_the_batches_never_touch_the_test_split(stages_of):
    result = Train(learning_rates=[1.0], budget_size=20_000).answer(stages_of(batch_size=64))
    assert result.metrics["loss/examples_to_target"] < 10_000
    assert result.metrics["accuracy/examples_to_target"] < 10_000
    assert result.metrics["loss/train"] < result.metrics["loss/test"]
    assert result.metrics["budget/examples"] == 64 * (20_000 // 64)
    assert result.metrics["budget/size"] == 20_000
    assert list(result.figures) == ["training_curves"]


def test_the_default_budget_is_four_passes_and_at_least_40000_examples():
    assert Train()._budget(60_000) == Budget("examples", 240_000)
    assert Train()._budget(797) == Budget("examples", 40_000)
    assert Train(budget="steps")._budget(797) == Budget("steps", 1_000)
    assert Train(budget="seconds", budget_size=0.5)._budget(797) == Budget("seconds", 0.5)


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
    stages = stripes_of(hidden=(8, 8), activation="relu")
    result = Train(**QUICK | {"learning_rates": [1e30, 0.1]}).answer(stages)
    assert result.metrics["train/learning_rate"] == 0.1
    trials = result.tables["learning_rates.csv"].set_index("learning_rate")
    assert math.isnan(trials.loc[1e30, "train_loss"])
    assert trials.loc[1e30, "steps"] < 100
    assert "1e+30: ran away" in " ".join(result.notes)
    with pytest.raises(
        BadInput, match=r"learning_rates must hold one that keeps the loss finite; found none in 1e\+30"
    ):
        Train(**QUICK | {"learning_rates": [1e30]}).answer(stages)


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
        part.answer(changed(stripes_of(), model=Npz(path="weights.npz", activation="relu")))
    with pytest.raises(BadInput, match=r"study\.budget_size must hold at least one batch of 20 examples; found 19"):
        Train(**QUICK | {"budget": "examples", "budget_size": 19}).answer(stripes_of())


def test_a_reference_that_is_too_poor_to_set_a_target_is_refused(stripes_of):
    poor = Network([(np.zeros((6, 2), "f4"), np.array([3, -3], "f4"))], "relu")
    with pytest.raises(BadInput, match=r"study\.accuracy_target must be given"):
        Train(**QUICK | {"accuracy_target": None}).answer(changed(stripes_of(), classifier=poor))


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
    from pipeline.runtime import progress

    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    Train(**QUICK).answer(stripes_of())
    assert "Training with 20 rows a step" in capfd.readouterr().err
    with progress.Bar("Sweep", 1, unit="cells", at_once=True):
        Train(**QUICK).answer(stripes_of())
    said = capfd.readouterr().err
    assert "Sweep" in said
    assert "Training with" not in said


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
    reports = {"report.html", "report.md"}
    assert {path.name for path in artifacts.iterdir()} == {"cells.csv", "table.txt", *reports, *plots}
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
