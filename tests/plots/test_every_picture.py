"""Every plot, drawn from a small real result: no text covers another, and none leaves the picture."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from pipeline import config, plots
from pipeline.experiment import run
from pipeline.plots import learning_curve
from tests.evaluation import Always

# Some fifty real results; each plot has quicker tests of its own.
pytestmark = pytest.mark.slow

SIZES = ("10", "100", "1000")


def members():
    """Every module of the wing that draws."""
    names = [module.name for module in pkgutil.iter_modules(plots.__path__)]
    return {name for name in names if hasattr(importlib.import_module(f"{plots.__name__}.{name}"), "draw")}


def answered(*overrides):
    """A cell's experiment and result."""
    with initialize_config_dir(config.CONF, version_base="1.3"):
        experiment = config.to_experiment(compose("config", overrides=["seed=0", *overrides]))
    return experiment, run(experiment, Always())


def compared(*cells, about):
    """What the study makes of its cells, each a group's name and its overrides; as a sweep would."""
    found = [(group, *answered(*overrides)) for group, *overrides in cells]
    rows = []
    for group, experiment, result in found:
        row = {"batch_size": experiment.batch_size, "group": group, "draws": experiment.draws} | about
        if experiment.study.axis == "study.step":
            row["study.step"] = experiment.study.step
        rows.append(row | {"confidence": experiment.confidence, "unit": "row", **result.metrics, "run_id": "0"})

    def read(name):
        frames = []
        for row, (_, experiment, result) in zip(rows, found, strict=True):
            frame = (result.draws if name == "draws.parquet" else result.tables[name]).copy()
            frame.insert(0, experiment.study.axis, row[experiment.study.axis])
            frame.insert(1, "group", row["group"])
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    return found[0][1].study.compare(pd.DataFrame(rows), read).figures, found


DIGITS = {"population": "digits test", "model_name": "mlp", "population_size": 1000}


def of_sweeps():
    figures, found = compared(
        *(
            (f"sampling={design}", f"batch_size={size}", "draws=100", f"sampling={design}")
            for design in ("with_replacement", "without_replacement")
            for size in SIZES
        ),
        about=DIGITS,
    )
    figures["learning_curve"] = learning_curve.draw(found[0][2].curve, "digits test, mlp")
    return figures


def of_intervals():
    cells = [("", "study=coverage", f"batch_size={size}", "draws=60") for size in ("2", *SIZES)]
    return compared(*cells, about=DIGITS)[0]


def of_steps():
    cells = [
        (f"study/direction={way}", "study=compare", f"study/direction={way}", f"study.step={step}")
        for way in ("gradient", "random")
        for step in (0.01, 0.1, 1, 10)
    ]
    return compared(*cells, about=DIGITS)[0]


def of_landscapes():
    cells = [
        (f"study/direction={way}", "study=landscape", f"study/direction={way}", "study.points=41", "draws=60")
        for way in ("gradient", "random", "weight")
    ]
    plane = ["study/direction=random", "study/direction@study.other=random", "study.other.index=1", "study.points=9"]
    return compared(*cells, about=DIGITS)[0] | answered("study=landscape", *plane, "draws=60")[1].figures


def of_training():
    common = ["study=train", "study.budget_size=4000", "study.learning_rates=[0.1]"]
    cells = [("", *common, f"batch_size={size}") for size in (8, 64)]
    figures, found = compared(*cells, about=DIGITS | {"study.budget_size": 4000})
    return figures | {"training_curves of a cell": found[0][2].figures["training_curves"]}


def of_cells():
    return {
        name: figure
        for study in ("all_rows", "plan", "designs", "until", "label", "gradient_noise")
        for name, figure in answered(f"study={study}", "draws=60")[1].figures.items()
    }


def of_predictions(folder, dataset, classifier):
    """Comparisons of real predictions with the same ones disturbed."""
    logits = classifier.logits(dataset.inputs.astype(np.float32) / 16)
    for name, amount in (("one.parquet", 0.0), ("other.parquet", 0.8), ("third.parquet", 1.6)):
        other = logits + amount * np.random.default_rng(0).normal(size=logits.shape)
        frame = pd.DataFrame({"label": dataset.labels, "logits": list(other.astype(np.float32))})
        frame.to_parquet(folder / name)
    common = ["study=compare", "data=predictions", f"data.path={folder / 'one.parquet'}"]
    about = {"population": "one.parquet", "model_name": "", "population_size": 1000}
    cells = [("", *common, f"study.against={folder / name}") for name in ("other.parquet", "third.parquet")]
    one, _ = compared(cells[0], about=about)
    paths = [cell[-1].partition("=")[2] for cell in cells]
    both = {"study.against": paths[0]}
    several, _ = compared(*cells, about=about | both)
    margins = ["study.margin.loss=0.02", "study.margin.accuracy=0.01", "study.audit='accuracy<-0.01'"]
    gate = answered("study=gate", *cells[0][2:], *margins)[1].figures
    few = answered("study=gate", *cells[0][2:], *margins[:2], "study.rows=as_needed", "study.loss_range=4")[1].figures
    both = f"study.against=['{paths[0]}','{paths[1]}']"
    league = answered(*cells[0][1:-1], both)[1].figures
    gate |= {name: figure for name, figure in {**few, **league}.items() if name not in gate}
    return one | {f"{name} of several": figure for name, figure in several.items()} | gate


def of_weeks(folder, dataset):
    """Files of predictions of four weeks, whose last one is worse."""
    paths = []
    for week, right in enumerate((0.9, 0.91, 0.9, 0.6)):
        rng = np.random.default_rng(week)
        is_right = rng.random(300) < right
        labels = dataset.labels[:300]
        logits = np.eye(10)[np.where(is_right, labels, (labels + 1) % 10)] * 3 + rng.normal(size=(300, 10))
        frame = pd.DataFrame({"label": labels, "logits": list(logits.astype(np.float32))})
        paths.append(folder / f"2026-10-{5 + 7 * week:02d}.parquet")
        frame.to_parquet(paths[-1])
    files = ",".join(f"'{path}'" for path in paths)
    return answered("study=trend", "data=predictions", f"data.path='{paths[-1]}'", f"study.files=[{files}]")[1].figures


@pytest.fixture(scope="module")
def pictures(digits_parts, tmp_path_factory):
    """Every picture by its plot's name, laid out."""
    config.register()
    folder = tmp_path_factory.mktemp("predictions")
    figures = of_predictions(folder, *digits_parts) | of_weeks(folder, digits_parts[0])
    for made in (of_sweeps, of_intervals, of_steps, of_landscapes, of_training, of_cells):
        figures |= made()
    for figure in figures.values():
        figure.draw_without_rendering()
    return figures


def test_every_plot_is_among_the_pictures(pictures):
    # Classes are drawn as slices are.
    assert {name.partition(" of ")[0].replace("by_class", "by_slice") for name in pictures} == members()


def test_no_text_covers_another_or_leaves_its_picture(pictures, overlapping_texts, texts_outside):
    found = {name: (overlapping_texts(figure), texts_outside(figure)) for name, figure in pictures.items()}
    assert {name: bad for name, bad in found.items() if bad != ([], [])} == {}


def test_every_title_names_the_data_and_no_title_a_key(pictures):
    for name, figure in pictures.items():
        titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
        assert titles[0].startswith(
            (
                "digits t",
                "other.parquet minus one.parquet",
                "2 models against one.parquet",
                "one.parquet: ",
                "one.parquet, ",
                "2026-10-05.parquet to",
            )
        ), name
        assert not [title for title in titles if "study/" in title or "sampling=" in title], name


@pytest.mark.parametrize("name", ["funnel", "interval_width", "difference", "landscape"])
def test_a_broken_picture_would_be_seen(pictures, overlapping_texts, texts_outside, name):
    figure = pictures[name]
    axes = figure.axes[0]
    box = axes.title.get_window_extent()
    on_title = axes.annotate("over the title", box.p0, xycoords="figure pixels")
    beside = axes.annotate("outside", (1.2 * figure.bbox.width, 10), xycoords="figure pixels")
    try:
        assert any("over the title" in pair for pair in overlapping_texts(figure))
        assert texts_outside(figure) == ["outside"]
    finally:
        on_title.remove()
        beside.remove()
