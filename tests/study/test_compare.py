import math
import os

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from pipeline import config
from pipeline import data as data_family
from pipeline.accuracy import is_correct
from pipeline.cell.identity import configuration, parameters
from pipeline.engine import MEMBERS as ENGINES
from pipeline.errors import BadInput
from pipeline.estimation.multiple_tests import holm
from pipeline.loss import cross_entropy
from pipeline.model.base import Classifier
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.model.sklearn import Sklearn
from pipeline.runtime import memo
from pipeline.scoring.rows import score
from pipeline.study.compare import Compare
from pipeline.study.direction.base import moved
from pipeline.study.direction.gradient import Gradient
from pipeline.study.direction.random import Random
from pipeline.study.paired.models import in_double
from tests.evaluation import changed
from tests.study.predicted import ROWS, stages_from, two_models, write

NAMES = ("difference", "difference_low", "difference_high", "n_for_power", "n_for_power_unpaired")


def a_step(step, direction=None, **fields):
    return Compare(direction=direction or Gradient(), step=step, **fields)


@pytest.fixture
def saved(tmp_path):
    def save(layers, name="other.npz"):
        arrays = {f"{kind}{i}": a for i, layer in enumerate(layers, 1) for kind, a in zip("Wb", layer, strict=True)}
        np.savez(tmp_path / name, **arrays)
        return str(tmp_path / name)

    return save


@pytest.fixture
def other_layers(digits_parts):
    """The digits network with every weight a little off."""
    rng = np.random.default_rng(0)
    return [
        (W + rng.normal(0, 0.02, W.shape).astype("f4"), b + rng.normal(0, 0.02, b.shape).astype("f4"))
        for W, b in digits_parts[1].layers
    ]


MCNEMAR = {"accuracy/mcnemar_p", "accuracy/mcnemar_mid_p"}


def test_the_metrics_are_those_that_other_programs_rely_on(stages_of):
    found = a_step(10.0).answer(stages_of()).metrics
    expected = {f"{metric}/{name}" for metric in ("loss", "accuracy") for name in (*NAMES, "n_ratio")}
    assert set(found) == expected | {"loss/p", "accuracy/gained", "accuracy/lost", *MCNEMAR}
    assert set(found) == set(Compare.columns)


def test_against_a_file_the_figures_are_those_of_the_two_models_scored_by_hand(
    stages_of, digits_parts, other_layers, saved
):
    dataset, network = digits_parts
    found = Compare(direction=Gradient(), against=saved(other_layers)).answer(stages_of()).metrics
    inputs = dataset.inputs.astype("f8") * dataset.scale
    values = []
    for layers in (network.layers, other_layers):
        logits = Network([(W.astype("f8"), b.astype("f8")) for W, b in layers], network.activation).logits(inputs)
        values.append((cross_entropy(logits, dataset.labels), is_correct(logits, dataset.labels)))
    (loss, correct), (other_loss, other_correct) = values
    test = stats.ttest_1samp(other_loss - loss, 0)
    assert found["loss/difference"] == pytest.approx((other_loss - loss).mean(), rel=1e-9)
    assert found["loss/p"] == pytest.approx(test.pvalue, rel=1e-6)
    assert found["loss/difference_low"] == pytest.approx(test.confidence_interval(0.95).low, rel=1e-6)
    assert found["accuracy/gained"] == (other_correct & ~correct).sum() > 0
    assert found["accuracy/lost"] == (~other_correct & correct).sum() > 0
    assert found["accuracy/difference"] == pytest.approx(other_correct.mean() - correct.mean())


def test_the_table_of_right_and_wrong_rows_adds_up(stages_of, digits_parts):
    result = a_step(1.0, Random()).answer(stages_of())
    frame = result.tables["compare.csv"].set_index(["model", "against"])["rows"]
    assert frame.sum() == len(digits_parts[0])
    assert frame["wrong", "right"] == result.metrics["accuracy/gained"]
    assert frame["right", "wrong"] == result.metrics["accuracy/lost"]


def test_a_step_there_and_the_model_swapped_give_the_opposite_difference(stages_of, other_layers, digits_parts, saved):
    network = digits_parts[1]
    there = Compare(direction=Gradient(), against=saved(other_layers)).answer(stages_of()).metrics
    other = Network(other_layers, network.activation)
    back = Compare(direction=Gradient(), against=saved(network.layers, "model.npz"))
    found = back.answer(stages_of(classifier=other)).metrics
    for metric in ("loss", "accuracy"):
        assert found[f"{metric}/difference"] == pytest.approx(-there[f"{metric}/difference"])
        assert found[f"{metric}/difference_low"] == pytest.approx(-there[f"{metric}/difference_high"])
        assert found[f"{metric}/n_for_power"] == there[f"{metric}/n_for_power"]
    assert found["accuracy/gained"] == there["accuracy/lost"]


def test_a_step_too_small_to_change_a_weight_is_seen_by_no_number_of_examples_and_said_so(stages_of):
    result = a_step(1e-200).answer(stages_of())
    assert result.metrics["loss/n_for_power"] == result.metrics["accuracy/n_for_power"] == math.inf
    assert result.metrics["loss/p"] == result.metrics["accuracy/mcnemar_p"] == 1
    assert "no row's loss changes, and no row turns right or wrong" in result.summary
    assert not any(math.isnan(value) for value in result.metrics.values())


def test_a_small_step_changes_the_loss_in_proportion_which_float32_weights_would_round_away(stages_of):
    tiny, small = (a_step(step).answer(stages_of()).metrics for step in (1e-6, 1e-4))
    assert tiny["loss/difference"] == pytest.approx(small["loss/difference"] / 100, rel=1e-3)
    assert tiny["loss/n_for_power"] == pytest.approx(small["loss/n_for_power"], rel=1e-3)


@pytest.fixture
def on_mnist(stages_of, mnist_root, book_network):
    data = data_family.MEMBERS["mnist"](root=str(mnist_root), split="test")
    built = Npz(path=str(book_network)).build(data)
    stages = stages_of(dataset=data.load(), classifier=built)
    return changed(stages, data=data)


def test_the_known_figures_of_a_gradient_step_of_the_book_network_on_mnist(on_mnist):
    """The issue's figures; they are given to the nearest example, where a number of examples is rounded up here."""
    small, large = (a_step(step).answer(on_mnist) for step in (0.1, 1.0))
    assert small.metrics["loss/difference"] == pytest.approx(-5.9e-5, abs=0.05e-5)
    assert small.metrics["loss/n_for_power"] - 3533 in (0, 1)
    assert (small.metrics["accuracy/gained"], small.metrics["accuracy/lost"]) == (1, 1)
    assert small.metrics["accuracy/n_for_power"] == math.inf
    assert "the 2 rows that turn cancel, 1 gained and 1 lost" in small.summary
    assert large.metrics["loss/difference"] == pytest.approx(-4.92e-4, abs=0.005e-4)
    assert large.metrics["loss/n_for_power"] - 5078 in (0, 1)
    assert large.metrics["loss/n_for_power_unpaired"] == pytest.approx(29.3e6, abs=0.05e6)
    assert (large.metrics["accuracy/gained"], large.metrics["accuracy/lost"]) == (11, 10)
    assert large.metrics["accuracy/n_for_power"] == 1_667_261


@pytest.mark.parametrize(
    ("direction", "step", "slack"),
    # The second one's differences have a long tail, which the formula, by normal theory, takes no account of.
    [(Gradient(), 10.0, 0.01), (Random(), 0.01, 0.05)],
)
def test_the_power_on_real_differences_by_simulation(stages_of, direction, step, slack):
    stages = stages_of()
    network = in_double(stages.classifier)
    after = score(moved(network, direction.of(network, stages), step), stages.rows)
    differences = after.loss - score(network, stages.rows).loss
    n = int(a_step(step, direction).answer(stages).metrics["loss/n_for_power"])
    assert n > 1000
    samples = np.random.default_rng(8).choice(differences, size=(1500, n))
    seen = int((np.abs(stats.ttest_1samp(samples, 0, axis=1).statistic) > stats.t.ppf(0.975, n - 1)).sum())
    assert stats.binomtest(seen, 1500, 0.8 - slack, alternative="less").pvalue > 0.001
    assert stats.binomtest(seen, 1500, 0.8 + slack, alternative="greater").pvalue > 0.001


class Impossible(Classifier):
    """Holds the true class of the first rows impossible."""

    n_inputs, n_classes = 64, 10

    def __init__(self, dataset, rows):
        self.digest, self._dataset, self._rows = f"impossible {rows}", dataset, rows

    def logits(self, inputs):
        raise NotImplementedError

    def from_stored(self, scale):
        def forward(stored):
            logits = np.zeros((len(stored), 10))
            first = np.arange(self._rows)
            if np.array_equal(stored[first], self._dataset.inputs[first]):
                logits[first, self._dataset.labels[first]] = -np.inf
            return logits

        return forward


def test_infinite_losses_are_told_in_words_and_make_no_nan(stages_of, digits_parts, other_layers, saved):
    stages = stages_of(classifier=Impossible(digits_parts[0], 3))
    against = Compare(direction=Gradient(), against=saved(other_layers), against_activation="relu")
    result = against.answer(stages)
    assert result.metrics["loss/difference"] == -math.inf
    assert result.metrics["loss/n_for_power"] == math.inf
    assert not any(math.isnan(value) for value in result.metrics.values())
    assert any("Under the model 3 of 1,000 rows have an infinite loss" in note for note in result.notes)
    assert "a model's mean loss is infinite" in result.summary
    assert "-∞ ± ∞" in result.shown.rows[0]


def cells_of(results):
    rows = [
        {
            "study.step": step,
            "group": group,
            **({"study.against": group.partition("=")[2]} if "against" in group else {}),
            "population": "digits test",
            "population_size": 1000,
            "confidence": 0.95,
            **result.metrics,
        }
        for (group, step), result in results.items()
    ]
    return pd.DataFrame(rows)


def test_the_sentence_of_a_sweep_is_made_from_the_figures_and_the_loss_is_not_always_sooner(stages_of):
    steps = {("", step): a_step(step).answer(stages_of()) for step in (0.1, 1.0)}
    cells = cells_of(steps)
    sooner = (cells["loss/n_for_power"] < cells["accuracy/n_for_power"]).sum()
    compared = a_step(1.0).compare(cells, lambda name: pd.DataFrame())
    assert list(compared.figures) == ["power"]
    assert f"by the loss at {sooner} and the accuracy at {2 - sooner}." in compared.summary
    assert 0 < sooner < 2


def test_a_sweep_over_other_models_is_one_table_with_a_row_a_model(stages_of, other_layers, saved):
    one, two = saved(other_layers, "one.npz"), saved(other_layers, "two.npz")
    results = {
        (path.rpartition("/")[2], 0.0): Compare(direction=Gradient(), against=path).answer(stages_of())
        for path in (one, two)
    }
    compared = Compare(direction=Gradient(), against=one).compare(cells_of(results), lambda name: pd.DataFrame())
    (table,) = compared.shown
    assert [row[0] for row in table.rows] == ["one.npz", "two.npz"]
    raw = [result.metrics[name] for result in results.values() for name in ("loss/p", "accuracy/mcnemar_p")]
    adjusted = np.transpose([compared.columns[f"{name}/p_holm"] for name in ("loss", "accuracy")]).ravel()
    np.testing.assert_allclose(adjusted, holm(raw))
    assert compared.answer.startswith("Against digits test, 1,000 rows (95 % intervals, p values by Holm over 4 tests)")
    assert list(compared.figures) == ["difference"]


@pytest.mark.parametrize("step", [math.nan, math.inf, -math.inf])
def test_a_step_that_is_no_finite_number_is_refused(step):
    with pytest.raises(BadInput, match=r"study\.step must be a finite number"):
        a_step(step)


def test_a_step_of_0_is_refused_for_nothing_changes():
    with pytest.raises(BadInput, match=r"study\.step must not be 0, for then nothing changes"):
        a_step(0.0)


def test_a_step_that_overflows_is_refused(stages_of):
    with pytest.raises(BadInput, match=r"study\.step must leave weights and logits that are numbers"):
        a_step(1e308, Random()).answer(stages_of())


def test_another_model_and_a_step_together_are_refused(saved, other_layers):
    with pytest.raises(BadInput, match=r"with study\.against or with a step, not both"):
        Compare(direction=Gradient(), against=saved(other_layers), step=1.0)


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(BadInput, match=r"study\.against must name the file of a model, or .* no file '.*nowhere"):
        Compare(direction=Gradient(), against="nowhere.npz")


def test_another_model_that_does_not_take_the_datas_rows_is_refused(stages_of, saved):
    layers = [(np.zeros((65, 10), "f4"), np.zeros(10, "f4"))]
    study = Compare(direction=Gradient(), against=saved(layers))
    with pytest.raises(BadInput, match=r"study\.against=.*the model must take the data's 64 inputs a row; found .* 65"):
        study.answer(stages_of())


def test_another_model_may_have_other_widths(stages_of, saved):
    layers = [(np.zeros((64, 10), "f4"), np.zeros(10, "f4"))]
    found = Compare(direction=Gradient(), against=saved(layers)).answer(stages_of()).metrics
    assert found["loss/difference"] > 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"power": 1.0}, r"study\.power must be between 0 and 1"),
        ({"significance": 0.0}, r"study\.significance must be between 0 and 1"),
        ({"power": 0.04}, r"study\.power must be above study\.significance"),
        ({"against_activation": "relu"}, r"study\.against_activation must go with study\.against"),
    ],
)
def test_what_makes_no_test_is_refused(fields, message):
    with pytest.raises(BadInput, match=message):
        Compare(direction=Gradient(), **fields)


def test_an_unknown_activation_of_the_other_model_is_refused(saved, other_layers):
    with pytest.raises(BadInput, match=r"study\.against_activation must be one of sigmoid, relu"):
        Compare(direction=Gradient(), against=saved(other_layers), against_activation="swish")


def test_a_wrong_step_is_one_line_and_status_2(request_of, tmp_path):
    done = request_of("--multirun", "+experiment=compare", "study.step=1,nan", mlruns=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line == "batchscope: study.step must be a finite number; found nan"
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_the_prepared_sweep_ends_in_the_plot_the_table_and_its_sentence(command, own_mlruns):
    done = command("--multirun", "+experiment=compare", "study/direction=gradient,random", "study.step=0.1")
    assert done.returncode == 0, done.stderr
    assert "study/direction=gradient: of 1 change, fewer examples are needed by" in done.stdout
    assert "study/direction=random: of 1 change" in done.stdout
    (cells,) = (path for path in own_mlruns.rglob("cells.csv") if path.parent.parent.name in done.stdout)
    frame = pd.read_csv(cells)
    assert frame["study.step"].tolist() == [0.1, 0.1]
    assert (frame["accuracy/n_for_power"] == math.inf).any()
    assert (cells.parent / "power.png").is_file()


@pytest.mark.parametrize("memory", [1 << 28, 0])
def test_files_with_other_scores_are_each_judged_by_their_own(stages_of, files, tmp_path, monkeypatch, memory):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())
    columns = {"correct": files["right"]["a"], "loss": files["loss"]["a"]}
    both = write(tmp_path / "both.parquet", **columns)
    right = write(tmp_path / "right.parquet", correct=files["right"]["b"])
    result = against(right).answer(stages_from(stages_of, both, fields={"memory": memory}))
    assert "loss/difference" not in result.metrics
    assert result.metrics["accuracy/gained"] == (files["right"]["b"] & ~files["right"]["a"]).sum() > 0


@pytest.mark.parametrize("workers", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_rows_that_are_streamed_give_two_networks_the_figures_of_rows_in_memory(
    stages_of, digits_parts, other_layers, saved, tmp_path, monkeypatch, workers
):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())
    dataset, _ = digits_parts
    inputs = (dataset.inputs * np.float32(dataset.scale)).astype("f4")
    path = write(tmp_path / "digits.parquet", inputs=inputs, label=dataset.labels)
    engine = {} if workers is None else {"engine": ENGINES["local"](workers=workers)}
    found = {}
    for memory in (1 << 28, 0):
        data = data_family.MEMBERS["table"](path=path, memory=memory, n_classes=10)
        stages = changed(stages_of(dataset=data.rows("test")), data=data, **engine)
        found[memory] = against(saved(other_layers)).answer(stages).metrics
    assert found[0] == pytest.approx(found[1 << 28], rel=1e-9)
    assert found[0]["loss/difference"] != 0
    stored = list((tmp_path / "mlruns" / "cache" / "scores").glob("*/loss"))
    assert [path.stat().st_size for path in stored] == [8 * len(dataset)] * 2


def softmax(logits):
    return np.exp(logits - logits.max(axis=1, keepdims=True)) / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(
        axis=1, keepdims=True
    )


@pytest.fixture
def files(tmp_path):
    """Two models' logits of the same rows, in files a and b; further ones by name."""
    first, second, labels = two_models()
    ids = np.array([f"row {i}" for i in range(ROWS)])

    def of(file, logits, order=None, **changes):
        order = np.arange(ROWS) if order is None else order
        columns = {"logits": logits[order], "label": labels[order], "name": ids[order], **changes}
        return write(tmp_path / f"{file}.parquet", **columns)

    made = {"a": of("a", first), "b": of("b", second)}
    right = {name: logits.argmax(axis=1) == labels for name, logits in (("a", first), ("b", second))}
    loss = {name: -np.log(softmax(logits)[np.arange(ROWS), labels]) for name, logits in (("a", first), ("b", second))}
    return {**made, "of": of, "second": second, "labels": labels, "right": right, "loss": loss}


def against(path, **fields):
    return Compare(direction=Gradient(), against=path, **fields)


@pytest.mark.parametrize("memory", [1 << 28, 0])
def test_two_files_of_predictions_are_compared_row_by_row_in_memory_and_streamed(stages_of, files, memory):
    stages = stages_from(stages_of, files["a"], fields={"memory": memory})
    result = against(files["b"]).answer(stages)
    differences = files["loss"]["b"] - files["loss"]["a"]
    assert result.metrics["loss/difference"] == pytest.approx(differences.mean(), rel=1e-9)
    assert result.metrics["loss/p"] == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, rel=1e-6)
    assert result.metrics["accuracy/gained"] == (files["right"]["b"] & ~files["right"]["a"]).sum() > 0
    assert result.metrics["accuracy/lost"] == (files["right"]["a"] & ~files["right"]["b"]).sum() > 0
    assert result.shown.title == f"b.parquet against a.parquet, {ROWS:,} rows"
    assert result.notes[0].startswith("Differences: b.parquet minus a.parquet")


@pytest.mark.parametrize("memory", [1 << 28, 0])
def test_rows_are_matched_by_their_ids_whatever_their_order(stages_of, files, memory):
    shuffled = files["of"]("shuffled", files["second"], np.random.default_rng(1).permutation(ROWS))
    plain = against(files["b"]).answer(stages_from(stages_of, files["a"], fields={"memory": memory}))
    named = stages_from(stages_of, files["a"], fields={"id": "name", "memory": memory})
    assert against(shuffled).answer(named).metrics == pytest.approx(plain.metrics, rel=1e-12)
    assert against(files["b"]).answer(named).metrics == plain.metrics


def test_the_same_predictions_as_probabilities_give_the_same_figures(stages_of, files, tmp_path):
    stages = stages_from(stages_of, files["a"])
    path = write(tmp_path / "p.parquet", probabilities=softmax(files["second"]), label=files["labels"])
    assert against(path).answer(stages).metrics == pytest.approx(against(files["b"]).answer(stages).metrics, rel=1e-9)


def test_two_models_in_one_file_are_told_apart_by_their_columns(stages_of, files, tmp_path):
    first = two_models()[0]
    path = write(tmp_path / "both.parquet", first=first, second=files["second"], label=files["labels"])
    stages = stages_from(stages_of, path, fields={"logits": "first"})
    found = against(path, against_columns={"logits": "second"}).answer(stages)
    wanted = against(files["b"]).answer(stages_from(stages_of, files["a"]))
    assert found.metrics == wanted.metrics
    assert found.answer.startswith(f"both.parquet second against both.parquet first, {ROWS:,} rows: ")
    assert found.shown.title == f"both.parquet second against both.parquet first, {ROWS:,} rows"
    assert found.shown.rows[0][0].endswith("second")
    assert found.tags == {"baseline": "both.parquet first", "candidate": "both.parquet second"}
    assert wanted.tags == {}


def test_finished_cells_of_two_models_in_one_file_have_the_names_of_their_columns(stages_of, files, tmp_path):
    first = two_models()[0]
    path = write(tmp_path / "both.parquet", first=first, second=files["second"], label=files["labels"])
    study = against(path, against_columns={"logits": "second"})
    result = study.answer(stages_from(stages_of, path, fields={"logits": "first"}))
    cells = cells_of({("", 0.0): result}).assign(**result.tags)
    shown = study.compare(cells, lambda name: result.tables[name])
    assert shown.answer.startswith("both.parquet second against both.parquet first, 1,000 rows: ")
    assert shown.shown[0].title == "both.parquet second against both.parquet first, 1,000 rows"
    assert shown.caption.startswith("Difference: both.parquet second minus both.parquet first")
    assert "both.parquet second minus both.parquet first" in shown.figures["difference"].get_suptitle().replace(
        "\n", " "
    )


@pytest.mark.parametrize("memory", [1 << 28, 0])
def test_the_first_row_whose_labels_differ_is_named_in_both_files(stages_of, files, memory):
    labels = files["labels"].copy()
    labels[[733, 900]] = (labels[[733, 900]] + 1) % 4
    other = files["of"]("other", files["second"], label=labels)
    was, now = files["labels"][733], labels[733]
    found = rf"found label {was} in row 733 of .*a\.parquet and {now} in row 733 of .*other\.parquet, and 1 more, "
    found += "next row 900 of "
    with pytest.raises(BadInput, match=found):
        against(other).check(stages_from(stages_of, files["a"], fields={"memory": memory}))
    with pytest.raises(BadInput, match=r"row 733 .* row 733 of .*other\.parquet, .*: mend one"):
        against(other).check(stages_from(stages_of, files["a"], fields={"memory": memory, "id": "name"}))


def test_other_rows_are_refused_with_how_many_and_the_first(stages_of, files):
    short = files["of"]("short", files["second"], np.arange(ROWS - 3))
    with pytest.raises(BadInput, match=r"found 1,200 in .*a\.parquet and 1,197 in .*short\.parquet"):
        against(short).check(stages_from(stages_of, files["a"]))
    names = np.array([f"row {i}" for i in range(ROWS)])
    names[5] = "new"
    strange = files["of"]("strange", files["second"], name=names)
    missing = (
        r"1 id missing in .*strange\.parquet, first 'row 5' of row 5 of .* and 1 id missing in .*first 'new' of row"
    )
    with pytest.raises(BadInput, match=missing):
        against(strange).check(stages_from(stages_of, files["a"], fields={"id": "name"}))


def test_a_row_of_the_other_file_that_is_none_is_found_before_a_run(stages_of, files):
    broken = files["second"].copy()
    broken[1001, 2] = np.nan
    other = files["of"]("broken", broken)
    for memory in (1 << 28, 0):
        with pytest.raises(BadInput, match=r"study\.against=.*broken\.parquet: .*found nan in row 1,001 of .*broken"):
            against(other).check(stages_from(stages_of, files["a"], fields={"memory": memory}))


def test_the_rows_that_differ_most_are_shown_and_read_again_when_the_comparison_is_finished(stages_of, files):
    stages = stages_from(stages_of, files["a"], fields={"id": "name"})
    result = against(files["b"]).answer(stages)
    apart = files["loss"]["b"] - files["loss"]["a"]
    most = np.argsort(-np.abs(apart), kind="stable")[:10]
    found = result.tables["furthest.parquet"]
    assert found["id"].tolist() == [f"row {row}" for row in most]
    assert found["label"].tolist() == [str(label) for label in files["labels"][most]]
    assert found["loss_difference"].tolist() == pytest.approx(apart[most].tolist(), rel=1e-5)
    assert result.metrics["furthest"] == 10
    cells = cells_of({("b.parquet", 0.0): result})
    shown = against(files["b"]).compare(cells, lambda name: {"furthest.parquet": found}[name]).shown
    assert shown[-1].title == "digits test, the 10 rows that differ most"
    assert [row[0] for row in shown[-1].rows] == found["id"].tolist()
    assert shown[-1].rows == result.further[-1].rows


def test_only_the_scores_that_both_files_have_are_compared_and_the_rest_is_said(stages_of, files, tmp_path):
    whole = against(files["b"]).answer(stages_from(stages_of, files["a"])).metrics
    right, loss = (
        write(tmp_path / f"{name}.parquet", **{name: files[kind]["b"]})
        for name, kind in (("correct", "right"), ("loss", "loss"))
    )
    for path, metric, gone in ((right, "accuracy", "loss"), (loss, "loss", "accuracy")):
        result = against(path).answer(stages_from(stages_of, files["a"]))
        of_loss = {"furthest": 10.0} if metric == "loss" else {}
        expected = {k: v for k, v in whole.items() if k.startswith(metric)} | of_loss
        assert result.metrics == pytest.approx(expected, rel=1e-9)
        assert f"no {gone}: {metric if metric == 'loss' else 'correct'}.parquet has none" in result.notes
        assert ("compare.csv" in result.tables) == (metric == "accuracy")
        text = " ".join([result.summary, *result.shown.headings, *result.shown.rows[0]])
        assert gone not in text
        assert "nan" not in text
    with pytest.raises(
        BadInput, match=r"must have the loss or the accuracy in common .* found accuracy alone in correct"
    ):
        against(loss).check(stages_from(stages_of, right))


def test_predictions_have_no_step_and_weights_no_columns(stages_of, files, saved, other_layers):
    stages = stages_from(stages_of, files["a"])
    with pytest.raises(BadInput, match=r"predictions have no weights that a step could change"):
        a_step(1.0).check(stages)
    with pytest.raises(BadInput, match=r"study\.against_activation must go with weights"):
        against(files["b"], against_activation="relu").check(stages)
    with pytest.raises(BadInput, match=r"study\.against_columns must be of .*logits.*; found weight"):
        against(files["b"], against_columns={"weight": "w"}).check(stages)
    with pytest.raises(BadInput, match=r"study\.against_columns must go with data that are predictions"):
        against(saved(other_layers), against_columns={"logits": "w"}).check(stages_of())


def test_what_the_other_file_holds_is_in_the_digest(stages_of, files):
    stages = stages_from(stages_of, files["a"])
    before = against(files["b"]).content(stages)
    assert before != against(files["of"]("c", files["second"] + 0.1)).content(stages)
    assert before == against(files["of"]("copy", files["second"])).content(stages)


@pytest.mark.slow
def test_the_prepared_sweep_compares_files_of_predictions_in_one_command(command, files):
    given = ("+experiment=compare", "data=predictions", f"data.path={files['a']}")
    done = command(*given, f"study.against={files['b']}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("b.parquet against a.parquet, ")
    assert f"\nb.parquet against a.parquet, {ROWS:,} rows" in done.stdout
    assert "Difference: b.parquet minus a.parquet" in " ".join(done.stdout.split())
    third = files["of"]("c", files["second"] * 1.1)
    done = command("--multirun", *given, f"study.against={files['b']},{third}")
    assert done.returncode == 0, done.stderr
    assert "Of 2 changes" in done.stdout
    refused = command(*given)
    assert refused.returncode == 2
    assert refused.stderr.startswith("batchscope: study.against must name other predictions")


@pytest.fixture(scope="module")
def skops(tmp_path_factory, digits_parts):
    """Two classifiers of scikit-learn as files, and what each says of the digits' test rows."""
    sio = pytest.importorskip("skops.io")
    folder, rows = tmp_path_factory.mktemp("skops"), data_family.MEMBERS["digits"]().load_split("train")
    found = {}
    for name, strength in (("weak", 1e-4), ("strong", 1.0)):
        estimator = LogisticRegression(C=strength, max_iter=300).fit(rows.inputs / 16, rows.labels)
        sio.dump(estimator, folder / f"{name}.skops")
        found[name] = estimator.predict_proba(digits_parts[0].inputs / 16)
    return folder, found


@pytest.mark.parametrize("is_part", [False, True])
def test_two_models_of_scikit_learn_are_compared_as_their_probabilities_say(stages_of, skops, digits_parts, is_part):
    folder, probabilities = skops
    labels = digits_parts[0].labels
    model, other = Sklearn(path=str(folder / "weak.skops")), str(folder / "strong.skops")
    study = Compare(direction=Gradient(), against=Sklearn(path=other) if is_part else other)
    stages = changed(stages_of(classifier=model.build(data_family.MEMBERS["digits"]())), model=model)
    study.check(stages)
    result = study.answer(stages)
    expected = {name: log_loss(labels, found) for name, found in probabilities.items()}
    assert result.metrics["loss/difference"] == pytest.approx(expected["strong"] - expected["weak"], rel=1e-9)
    right = {name: found.argmax(axis=1) == labels for name, found in probabilities.items()}
    assert result.metrics["accuracy/gained"] == (right["strong"] & ~right["weak"]).sum()
    assert result.metrics["accuracy/lost"] == (right["weak"] & ~right["strong"]).sum()
    assert study.content(stages) == [Sklearn(path=other).build(stages.experiment.data).digest]
    assert "strong.skops against the model" in result.shown.title


def test_a_trained_network_is_compared_with_a_model_of_another_kind(stages_of, skops, digits_parts):
    folder, probabilities = skops
    study = Compare(direction=Gradient(), against=str(folder / "strong.skops"))
    stages = stages_of()
    own = in_double(stages.classifier).logits(digits_parts[0].inputs * digits_parts[0].scale)
    expected = log_loss(digits_parts[0].labels, probabilities["strong"])
    expected -= cross_entropy(own, digits_parts[0].labels).mean()
    assert study.answer(stages).metrics["loss/difference"] == pytest.approx(expected, rel=1e-6)


def test_an_activation_goes_with_npz_weights_alone(stages_of, skops):
    study = Compare(direction=Gradient(), against=str(skops[0] / "weak.skops"), against_activation="relu")
    with pytest.raises(BadInput, match=r"study\.against_activation must go with npz weights; found 'relu' with weak"):
        study.check(stages_of())


def test_another_model_as_a_part_is_asked_for_on_the_command_line_and_recorded_whole(tmp_path):
    config.register()
    lines = ["study=compare", "+study/against=npz", "study.against.path=other.npz", "study.against.activation=relu"]
    with initialize_config_dir(config.CONF, version_base="1.3"):
        asked = config.to_experiment(compose("config", overrides=lines))
    assert asked.study.against == Npz(path=os.path.abspath("other.npz"), activation="relu")
    (tmp_path / "config.yaml").write_text(configuration(asked))
    assert config.load(tmp_path).study == asked.study
    assert parameters(asked)["study.against.name"] == "npz"


def test_predictions_are_not_compared_with_a_model_but_with_its_predictions(stages_of, files):
    study = Compare(direction=Gradient(), against=Npz(path="other.npz"))
    with pytest.raises(BadInput, match=r"found model npz: write its predictions with .*predict first"):
        study.check(stages_from(stages_of, files["a"]))


def test_rows_out_has_what_both_models_say_of_each_row(stages_of, files):
    stages = stages_from(stages_of, files["a"], fields={"id": "name"})
    assert "rows.parquet" not in against(files["b"]).answer(stages).tables
    order = np.random.default_rng(1).permutation(ROWS)
    shuffled = files["of"]("shuffled", files["second"], order)
    frame = against(shuffled, rows_out=True).answer(stages).tables["rows.parquet"]
    assert frame["id"].tolist() == [f"row {i}" for i in range(ROWS)]
    assert frame["label"].tolist() == files["labels"].tolist()
    for end, name in (("a", "a"), ("b", "b")):
        np.testing.assert_allclose(frame[f"loss_{end}"], files["loss"][name], rtol=1e-9)
        assert frame[f"correct_{end}"].tolist() == files["right"][name].tolist()
    assert frame["predicted_b"].tolist() == files["second"].argmax(axis=1).tolist()
    np.testing.assert_allclose(frame["loss_difference"], files["loss"]["b"] - files["loss"]["a"], rtol=1e-7, atol=1e-9)
    assert frame["correct_difference"].sum() == files["right"]["b"].sum() - files["right"]["a"].sum()


def test_rows_out_of_two_networks_has_the_classes_that_each_predicts(stages_of, other_layers, saved, digits_parts):
    study = Compare(direction=Gradient(), against=saved(other_layers), rows_out=True)
    frame = study.answer(stages_of()).tables["rows.parquet"]
    logits = in_double(digits_parts[1]).logits(digits_parts[0].inputs * digits_parts[0].scale)
    assert frame["predicted_a"].tolist() == logits.argmax(axis=1).tolist()
    assert frame["label"].tolist() == digits_parts[0].labels.tolist()


def test_groups_are_compared_as_groups(stages_of, tmp_path):
    first, second, labels = two_models()
    groups = np.repeat(np.arange(40), len(labels) // 40)
    ours = write(tmp_path / "a.parquet", label=labels, logits=first, writer=groups)
    theirs = write(tmp_path / "b.parquet", label=labels, logits=second)
    stages = stages_from(stages_of, ours, fields={"group": "writer"})
    study = Compare(against=theirs, direction=Random())
    study.check(stages)
    result = study.answer(stages)
    losses = [cross_entropy(own, labels) for own in (first, second)]
    by_group = (losses[1] - losses[0]).reshape(40, -1).mean(axis=1)
    test = stats.ttest_1samp(by_group, 0)
    assert result.metrics["loss/p"] == pytest.approx(test.pvalue, rel=1e-4)
    ends = (result.metrics["loss/difference_low"], result.metrics["loss/difference_high"])
    assert ends == pytest.approx(tuple(test.confidence_interval(0.95)), rel=1e-4)
    assert result.metrics["groups"] == 40
    assert not MCNEMAR & set(result.metrics)
    assert any("flipping the groups' signs" in note for note in result.notes)
    assert "groups" in result.summary


def test_rows_that_count_differently_are_refused(stages_of, tmp_path):
    first, second, labels = two_models()
    ours = write(tmp_path / "a.parquet", label=labels, logits=first, size=np.arange(1.0, 1 + len(labels)))
    theirs = write(tmp_path / "b.parquet", label=labels, logits=second)
    with pytest.raises(BadInput, match=r"rows that count alike; found data.weight"):
        Compare(against=theirs, direction=Random()).check(stages_from(stages_of, ours, fields={"weight": "size"}))
