"""Few labels, well chosen: the whole way of a person with a file, of a program, and of the digits' own labels."""

import copy
import csv
import functools
import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline import config
from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput, Failed
from pipeline.estimation.active_testing import ActiveTest, features_of
from pipeline.estimation.calibration import class_losses
from pipeline.experiment import run
from pipeline.study.label import Label
from tests.evaluation import Always

RNG = np.random.default_rng(0)
N = 3_000
LOGITS = 2 * RNG.standard_normal((N, 3)).astype(np.float32)
LOGITS[np.arange(N), RNG.integers(0, 3, N)] += 3
LOSSES = class_losses(LOGITS).T
LABELS = np.minimum((np.exp(-LOSSES).cumsum(axis=1) < RNG.random((N, 1))).sum(axis=1), 2)
TRUTH = {"loss": LOSSES[np.arange(N), LABELS].mean(), "accuracy": (LOSSES.argmin(axis=1) == LABELS).mean()}
NAMES = ("cat", "dog", "owl")


@pytest.fixture
def rows(tmp_path):
    """A file of predictions for rows without labels."""
    columns = {f"logit_{name}": LOGITS[:, k] for k, name in enumerate(NAMES)}
    frame = pd.DataFrame({"id": [f"n{i}" for i in range(N)], "text": [f"row {i}" for i in range(N)], **columns})
    frame.to_parquet(tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


@functools.cache
def composed(*overrides):
    return config.composed(["+experiment=label", "data=predictions", *overrides])


def started(path, *overrides):
    # Composing takes longer than labelling; each start has a copy that nothing was read with.
    return run(copy.deepcopy(composed(f"data.path={path}", *overrides)), Always())


def folder_of(path):
    return path.with_name(f"{path.name}.labels")


def fill_in(sheet, most=None):
    """Write the true labels into a sheet, as a person would."""
    with sheet.open(newline="") as file:
        heading, *lines = csv.reader(file)
    at = heading.index("id")
    for line in lines[:most]:
        line[-1] = NAMES[LABELS[int(line[at][1:])]]
    with sheet.open("w", newline="") as file:
        csv.writer(file).writerows([heading, *lines])


def test_a_person_labels_round_by_round_until_it_is_enough(rows):
    folder = folder_of(rows)
    asked = ["study.show=[text]", "study.block=250"]
    result = started(rows, *asked)
    assert result.metrics["labels/given"] == 0
    assert result.metrics["labels/waiting"] == 250
    assert (folder / "round_1.csv").read_text().splitlines()[0] == "id,text,label"
    assert "No label yet" in result.answer
    fill_in(folder / "round_1.csv", most=210)
    partly = started(rows, *asked)
    assert partly.metrics["labels/given"] == 0
    assert f"40 rows of 250 in {folder / 'round_1.csv'} have no label yet" in partly.answer
    given = 0
    for number in range(1, 6):
        fill_in(folder / f"round_{number}.csv")
        result = started(rows, *asked)
        # The last sheets hold what is still needed, but at least a quarter of a block.
        assert 62 <= result.metrics["labels/given"] - given <= 250
        given = result.metrics["labels/given"]
        if result.metrics["labels/enough"]:
            break
    assert 250 < result.metrics["labels/given"] <= 1_000
    assert result.metrics["labels/waiting"] == 0
    for metric, goal in (("loss", 0.05), ("accuracy", 0.02)):
        assert result.metrics[f"{metric}/half_width"] <= goal
        assert result.metrics[f"{metric}/low"] <= TRUTH[metric] <= result.metrics[f"{metric}/high"]
    table = result.tables["labels.csv"]
    assert len(table) == result.metrics["labels/given"] == table["id"].nunique()
    assert table["label"].tolist() == [NAMES[LABELS[int(own[1:])]] for own in table["id"]]
    assert list(result.figures) == ["label"]
    # Asked once more, it says the same, and asks for nothing.
    assert started(rows, *asked).metrics == result.metrics
    assert len(list(folder.glob("*.csv"))) == number


def test_files_that_differ_in_their_ending_alone_have_a_folder_each(rows):
    pd.read_parquet(rows).iloc[::-1].to_csv(rows.with_suffix(".csv"), index=False)
    for path in (rows, rows.with_suffix(".csv")):
        assert started(path).metrics["labels/waiting"] == 100
        assert (folder_of(path) / "round_1.csv").is_file()


def test_a_metric_may_be_added_once_a_sheet_is_out(rows):
    started(rows, "metric=[accuracy]", "study.loss_within=null")
    fill_in(folder_of(rows) / "round_1.csv")
    result = started(rows)
    assert result.metrics["labels/given"] == 100
    assert result.metrics["loss/low"] <= TRUTH["loss"] <= result.metrics["loss/high"]
    assert started(rows, "metric=[accuracy]", "study.loss_within=null").metrics["labels/given"] == 100


def test_an_earlier_model_that_has_scored_few_of_the_rows_is_told_of(rows):
    earlier = pd.DataFrame({"id": [f"n{i}" for i in range(N)], "loss": LOSSES[np.arange(N), LABELS]})
    for known in (30, N):
        earlier[:known].to_parquet(rows.parent / "earlier.parquet")
        notes = started(
            rows,
            "proxy=scores",
            f"proxy.path={rows.parent / 'earlier.parquet'}",
            f"study.folder={rows.parent / str(known)}",
        ).notes
        said = "Of the 3,000 rows proxy=scores has scores of 30; for the others stands what the model itself expects."
        assert (said in notes) == (known < N)


def test_a_narrower_goal_goes_on_from_the_labels_that_are_there(rows):
    program = f"{sys.executable} {_program(rows.parent)}"
    first = started(rows, f'study.labels="{program}"', "study.loss_within=null", "study.accuracy_within=0.06")
    assert first.metrics["labels/enough"] == 1
    # However narrow it was before, no fewer are called enough.
    assert first.metrics["labels/given"] == 200
    second = started(rows, f'study.labels="{program}"', "study.loss_within=null", "study.accuracy_within=0.03")
    assert second.metrics["labels/given"] > 200
    assert second.tables["labels.csv"].iloc[:200].equals(first.tables["labels.csv"])


def _program(folder, ends_after=None):
    """A program that labels a sheet, and fails once there are so many rounds."""
    (folder / "truth.json").write_text(json.dumps([NAMES[label] for label in LABELS]))
    script = folder / "ask.py"
    script.write_text(
        "import csv, json, sys\n"
        f"truth = json.load(open({str(folder / 'truth.json')!r}))\n"
        f"if sys.argv[1].endswith('round_{ends_after}.csv'): sys.exit('quota')\n"
        "rows = list(csv.DictReader(open(sys.argv[1])))\n"
        "print('id,label')\n"
        "for row in rows: print(f\"{row['id']},{truth[int(row['id'][1:])]}\")\n"
    )
    return script


def test_a_program_that_fails_costs_no_label(rows):
    with pytest.raises(Failed, match=r"ended with status 1 \(quota\)"):
        started(rows, f'study.labels="{sys.executable} {_program(rows.parent, ends_after=3)}"')
    kept = json.loads((folder_of(rows) / "state.json").read_text())["rounds"]
    assert [each["labels"] is not None for each in kept] == [True, True, False]
    done = started(rows, f'study.labels="{sys.executable} {_program(rows.parent)}"')
    assert done.metrics["labels/enough"] == 1
    assert done.tables["labels.csv"]["round"].tolist()[:300] == [1] * 100 + [2] * 100 + [3] * 100


EDITS = [
    (lambda lines: [*lines[:4], "x9,", *lines[5:]], r"line 5 of .* an id that was asked for; found id 'x9'"),
    (lambda lines: [*lines, lines[1]], r"each row once; found id n\d+ in line 2 and again in line 102"),
    (lambda lines: lines[:-1], r"all 100 rows that were asked for; found 99, without id n\d+"),
    (lambda lines: [*lines[:2], f"{lines[2]}fox", *lines[3:]], r"label in line 3 .*\(cat, dog, owl\).* 'fox'"),
]


def test_a_sheet_that_was_edited_badly_is_refused_and_all_stays_as_it_was(rows):
    folder = folder_of(rows)
    started(rows)
    fill_in(folder / "round_1.csv")
    assert not any("was changed" in note for note in started(rows).notes)
    taken = folder / "round_1.csv"
    taken.write_text(taken.read_text().replace(",cat\n", ",dog\n"))
    said = "The sheet of round 1 was changed after its labels were taken; the labels as taken count."
    assert said in started(rows).notes
    sheet = folder / "round_2.csv"
    lines = sheet.read_text().splitlines()
    for edit, message in EDITS:
        sheet.write_text("\n".join(edit(lines)) + "\n")
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(BadInput, match=message):
            started(rows)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_folder_of_other_predictions_is_refused(rows):
    started(rows, f"study.folder={rows.parent / 'own'}")
    pd.read_parquet(rows).iloc[::-1].to_parquet(rows)
    with pytest.raises(BadInput, match="must hold the labels of these rows"):
        started(rows, f"study.folder={rows.parent / 'own'}")


def test_the_digits_own_labels_play_the_person_and_the_notes_say_so():
    result = run(config.composed(["+experiment=label"]), Always())
    assert result.metrics["labels/enough"] == 1
    assert "A demonstration: the labels that digits test has already play the person" in result.notes[0]
    guess = next(note for note in result.notes if "guess" in note)
    assert guess.endswith("That is a guess, no interval.")
    assert result.metrics["labels/given"] < 1_000
    steps = [step for name, _, step in result.series if name == "loss/seen"]
    assert steps == result.tables["labels.csv"].groupby("round").size().cumsum().tolist()
    assert steps[-1] == result.metrics["labels/given"]
    # 200 labels at least, in blocks; the last sheets hold what is still needed, but at least a quarter of a block.
    rounds = np.diff([0, *steps])
    assert rounds[:2].tolist() == [100, 100]
    assert rounds.min() >= 25
    assert rounds.max() == 100


def test_no_more_rows_are_asked_for_than_are_still_needed(rows):
    started(rows)
    sheet = folder_of(rows) / "round_1.csv"
    fill_in(sheet)
    # Nearly enough with these: 200 labels are called for at least, and 25 make a sheet.
    result = started(rows, "study.loss_within=5.0", "study.accuracy_within=0.9", "study.block=90")
    assert result.metrics["labels/waiting"] == 90
    fill_in(folder_of(rows) / "round_2.csv")
    assert (
        started(rows, "study.loss_within=5.0", "study.accuracy_within=0.9", "study.block=90").metrics["labels/waiting"]
        == 23
    )


def test_a_limit_ends_it_before_it_is_enough():
    asked = ["+experiment=label", "study.max_labels=130", "study.loss_within=0.001"]
    result = run(config.composed(asked), Always())
    assert result.metrics["labels/given"] == 130
    assert "It ended at study.max_labels=130." in result.answer


def test_predicted_labels_alone_have_an_accuracy(rows):
    frame = pd.DataFrame({"prediction": [NAMES[k] for k in LOGITS.argmax(axis=1)], "label": [NAMES[k] for k in LABELS]})
    frame.to_parquet(rows)
    result = started(rows)
    assert result.metrics["accuracy/low"] <= TRUTH["accuracy"] <= result.metrics["accuracy/high"]
    assert "loss/mean" not in result.metrics
    assert "temperature" not in result.metrics


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.group=text"], "takes rows one by one and alike"),
        (["interval.target=superpopulation"], "interval.target must be population for study=label"),
        (["metric=[loss,accuracy,brier]"], "looks at the loss and the accuracy of a model's classes; found .*brier"),
        (["study.show=[text,label]", "data.label=none"], "study.show must name other columns .* found 'label'"),
        (["study.show=[nothing]"], "study.show=nothing must be a column of"),
    ],
)
def test_wrong_requests_are_refused_in_one_line(rows, overrides, message):
    with pytest.raises(BadInput, match=message) as found:
        started(rows, *overrides)
    assert "\n" not in str(found.value)
    assert not folder_of(rows).exists() or "nothing" in overrides[0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"block": 1}, r"study.block must be a whole number of at least 2"),
        ({"uniform": 0.0}, r"study.uniform must be above 0 and at most 1"),
        ({"loss_within": -1.0}, r"study.loss_within must be above 0 \(nats\) or null; found -1"),
        ({"loss_within": None, "accuracy_within": None}, "must be a number; found null for both"),
        ({"labels": " "}, r"study.labels must be a program"),
        ({"max_labels": 1}, r"study.max_labels must be a whole number of at least 2 or null; found 1"),
    ],
)
def test_values_out_of_their_range_are_refused(fields, message):
    with pytest.raises(BadInput, match=message):
        Label(**fields)


def test_no_other_study_takes_rows_without_labels(rows):
    with pytest.raises(BadInput, match=r"data.labelled must be true for study=evaluate"):
        config.composed(["data=predictions", f"data.path={rows}", "data.labelled=false"])
    with pytest.raises(BadInput, match=r"data.label=label must be a column of"):
        run(config.composed(["data=predictions", f"data.path={rows}"]), Always())


def test_a_folder_is_refused_where_the_rows_have_labels():
    with pytest.raises(BadInput, match=r"study.folder must go with rows without labels; found labels in digits test"):
        run(config.composed(["+experiment=label", "study.folder=here"]), Always())


@pytest.fixture(scope="module")
def on_mnist(mnist_root, book_network):
    """The published network's logits for MNIST's test rows, their labels, and the scores of a disturbed network."""
    rows = Mnist(root=str(mnist_root), split="test").load()
    weights = {name: array.astype(np.float64) for name, array in np.load(book_network).items()}
    rng = np.random.default_rng(0)
    # An earlier model: the same weights, each with noise of a quarter of its layer's spread.
    earlier = {name: own + 0.25 * own.std() * rng.standard_normal(own.shape) for name, own in weights.items()}
    logits, before = (_logits(rows.inputs / 255, each) for each in (weights, earlier))
    return logits, rows.labels, _scores(before, rows.labels)


def _logits(hidden, weights):
    for layer in "12":
        hidden = 1 / (1 + np.exp(-(hidden @ weights[f"W{layer}"] + weights[f"b{layer}"])))
    return hidden @ weights["W3"] + weights["b3"]


def _scores(logits, labels):
    losses = class_losses(logits)
    return {"loss": losses[labels, np.arange(len(labels))], "accuracy": (losses.argmin(axis=0) != labels).astype(float)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("has_proxy", "asked", "most"),
    [
        (True, {"loss": 0.02, "accuracy": 0.01}, 0.25),
        (False, {"accuracy": 0.01}, 0.6),
        (False, {"loss": 0.05, "accuracy": 0.02}, 1.0),
    ],
)
def test_labels_needed_on_mnist_and_the_coverage_at_the_stop(on_mnist, has_proxy, asked, most):
    """With an earlier model's scores ±0.02 nats and ±1 point take a quarter of a simple sample's labels, or less."""
    logits, labels, earlier = on_mnist
    values, n, repeats = _scores(logits, labels), len(labels), 200
    proxy = earlier if has_proxy else None
    counts, hits = [], dict.fromkeys(asked, 0)
    for repeat in range(repeats):
        test = ActiveTest(
            n,
            tuple(asked),
            Label().uniform,
            lambda calibration: features_of(calibration.expected(logits), n, proxy),
            lambda rows: logits[rows],
            lambda rows, _: {metric: values[metric][rows] for metric in asked},
            proxy,
        )
        rng = np.random.default_rng(repeat)
        while True:
            test.fill(labels[test.choose(100, rng).rows])
            found = test.estimates(0.95)
            if test.labelled >= 200 and all(found[metric].half_width <= goal for metric, goal in asked.items()):
                break
        counts.append(test.labelled)
        for metric, own in found.items():
            hits[metric] += own.low <= values[metric].mean() <= own.high
    # By the normal formula, without replacement: fewer than any interval that holds would take.
    simple = max(1 / ((goal / 1.96) ** 2 / values[metric].var() + 1 / n) for metric, goal in asked.items())
    print(has_proxy, asked, f"{np.mean(counts):.0f} labels, a simple sample {simple:.0f}", hits)
    assert np.mean(counts) < most * simple
    for metric in asked:
        assert hits[metric] >= stats.binom(repeats, 0.945).ppf(0.01)


def test_the_notes_name_the_control_variates(rows):
    table = pd.read_parquet(rows)
    earlier = rows.parent / "earlier.parquet"
    pd.DataFrame({"id": table["id"], "loss": 0.5, "correct": 1}).to_parquet(earlier)
    ways = {
        "the model's own expectation as control variate;": [],
        "the model's own expectation and the scores of proxy=scores as control variates;": [
            "proxy=scores",
            f"proxy.path={earlier}",
        ],
    }
    for said, asked in ways.items():
        started(rows, *asked)
        fill_in(folder_of(rows) / "round_1.csv")
        assert f"LURE estimates with {said}" in " ".join(started(rows, *asked).notes)
        shutil.rmtree(folder_of(rows))
