"""What every result of the face can do; nothing is written by any of them."""

import copy
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import pipeline as bs
from pipeline.report.result import Table
from tests.face.given import two_models

LABELS, FIRST, SECOND = two_models()


def results():
    by = np.where(LABELS > 0, "rest", "zero")
    old, new = bs.scores(LABELS, logits=FIRST, name="old"), bs.scores(LABELS, logits=SECOND, name="new")
    sliced = bs.scores(LABELS, logits=FIRST, by=by, name="sliced")
    pair = {"labels": LABELS, "logits": FIRST}
    return {
        "estimate": bs.estimate(old),
        "estimate by slice": bs.estimate(sliced),
        "compare": bs.compare(old, new),
        "compare by slice": bs.compare(sliced, new),
        "gate": bs.gate(old, new, margin={"loss": 0.02, "accuracy": 0.01}),
        "plan": bs.plan(old),
        "sweep": bs.sweep(old, [10, 100], draws=50),
        "until": bs.until(lambda rows: {key: values[rows] for key, values in pair.items()}, 400, loss_within=0.3),
    }


RESULTS = results()


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_frozen_has_its_metrics_by_name_and_can_be_copied(name):
    found = RESULTS[name]
    assert found.loss is found.metrics["loss"]
    assert {"loss", "accuracy"} <= set(dir(found))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.metrics = {}
    with pytest.raises(AttributeError, match="has no 'brier'; its metrics are loss, accuracy"):
        _ = found.brier
    assert repr(copy.copy(found)) == repr(found)


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_shows_its_answer_first_and_then_a_table(name):
    found = RESULTS[name]
    assert repr(found).startswith(found.sentence)
    assert found.sentence.endswith(".")
    assert "-----" in repr(found)
    page = found._repr_html_()
    assert page.index("<strong>") < page.index("<table>")
    assert page.count("<div") == page.count("</div>")


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_gives_its_figures_and_its_picture(name):
    found = RESULTS[name]
    assert len(found.to_frame()) >= 2
    assert set(found.to_frame()["metric"]) == {"loss", "accuracy"}
    assert json.loads(json.dumps(found.to_dict()))
    assert isinstance(found.plot(), Figure)


def test_a_table_as_text_has_aligned_columns():
    from pipeline.face.answer import as_text

    table = Table("T", ("a", "long\nname"), [("x", "1"), ("yy", "10")], [("all", "11")])
    assert as_text(table).splitlines() == [
        "T", "     long", "a    name", "---------", "x       1", "yy     10", "---------", "all    11",
    ]  # fmt: skip


def test_a_heading_of_a_row_in_two_lines_keeps_the_columns_aligned():
    from pipeline.face.answer import as_text

    table = Table("T", ("", "from", "p"), [("loss", "1.25", "0.5"), ("balanced\naccuracy, %", "90", "0.25")])
    assert as_text(table).splitlines() == [
        "T",
        "             from     p",
        "-----------------------",
        "loss         1.25   0.5",
        "balanced       90  0.25",
        "accuracy, %",
    ]


def test_the_columns_of_a_gate_of_groups_are_aligned():
    labels, first, second = two_models()
    metrics, groups = ["loss", "accuracy", "balanced_accuracy"], np.arange(len(labels)) // 3
    old = bs.scores(labels, logits=first, metrics=metrics, group=groups)
    new = bs.scores(labels, logits=second, metrics=metrics)
    shown = str(bs.gate(old, new, margin={"balanced_accuracy": 0.01, "loss": 0.1})).splitlines()
    places = [i for i, line in enumerate(shown) if line.startswith("balanced")]
    assert len(places) == 2
    for at in places:
        rule = next(line for line in shown[at::-1] if line and not line.strip("-"))
        assert len(shown[at]) == len(rule)
        assert shown[at + 1] == "accuracy, %"


def test_nothing_is_written_and_neither_hydra_nor_mlflow_is_imported(tmp_path):
    code = """
import sys
import pipeline as bs
rows = bs.scores([0, 1, 1, 0] * 20, logits=[[2.0, 0.0], [0.0, 1.0], [3.0, 0.0], [1.0, 0.5]] * 20)
for found in (bs.estimate(rows), bs.compare(rows, rows), bs.gate(rows, rows, margin={"loss": 0.1}), bs.plan(rows)):
    repr(found)
bs.sweep(rows, [10], draws=5).plot()
bs.until(lambda own: {"loss": rows.values("loss")[own]}, 80, metrics=["loss"], loss_within=0.5)
print([name for name in ("hydra", "omegaconf", "mlflow", "sklearn") if name in sys.modules])
"""
    root = Path(__file__).resolve().parents[2]
    made = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(root), "BATCHSCOPE_MLRUNS": str(tmp_path / "mlruns"), "HOME": str(tmp_path)},
    )
    assert made.stdout.strip() == "[]"
    # matplotlib keeps its fonts below the home folder.
    assert not [path.name for path in tmp_path.iterdir() if path.name not in (".cache", ".config", ".matplotlib")]


def test_the_names_of_the_package_are_those_it_lists_and_each_has_a_docstring_with_an_example():
    assert set(bs.__all__) <= set(dir(bs))
    for name in bs.__all__:
        doc = getattr(bs, name).__doc__
        assert doc, name
        if name.islower():
            assert "Examples\n" in doc, name
            assert "Returns\n" in doc, name
    with pytest.raises(AttributeError, match="has no attribute 'gates'"):
        _ = bs.gates


def test_no_function_is_called_like_a_module_of_the_package():
    """The import of such a module would put it in the place of the function."""
    package = Path(bs.__file__).parent
    assert not set(bs.__all__) & {path.stem for path in package.iterdir()}
