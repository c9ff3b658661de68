"""The generated pages say what the code says."""

import dataclasses
import re

import pytest
from hydra import compose, initialize_config_dir

from docs import reference
from pipeline import config
from pipeline.commands import COMMANDS
from pipeline.experiment import run
from tests.evaluation import Always
from tests.study.weeks import weeks


@pytest.mark.parametrize("name", reference.PAGES)
def test_generated_pages_are_current(name):
    written = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "stale: run python -m docs.reference"


def test_the_table_of_commands_has_every_command_that_asks_a_question():
    page = (reference.FOLDER / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| `python -m pipeline", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(name for name, command in COMMANDS.items() if not command.is_tool)


def test_check_tells_of_a_stale_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    (tmp_path / "options.md").write_text("old")
    assert reference.main(["--check"]) == 1
    assert "options.md is stale" in capsys.readouterr().err


def test_every_part_and_field_has_its_row():
    page = (reference.FOLDER / "options.md").read_text(encoding="utf-8")
    assert set(reference.GROUPS) == set(config.FAMILIES)
    for group, members in config.FAMILIES.items():
        for name, part in members.items():
            assert f"### `{group}={name}`" in page
            prefix = f"metric.{name}" if group == "metric" else group.replace("/", ".")
            groups = {"name", "direction", "model", *(("loss", "accuracy") if group == "interval" else ())}
            for field in dataclasses.fields(part):
                assert field.name in groups or f"| `{prefix}.{field.name}` |" in page, f"{prefix}.{field.name}"


def test_no_row_is_without_a_meaning():
    page = (reference.FOLDER / "options.md").read_text(encoding="utf-8")
    assert not re.findall(r"^\| `[^`]+` \|.*\|\s*\.?\s*\|$", page, re.MULTILINE)


def unlisted(study, names):
    """Return the names that no row of a study's table stands for; words in capitals there stand for any word."""
    rows = [re.escape(name) for figures in reference.FIGURES[study] for name in figures.split(", ")]
    rows = [re.sub(r"\b[A-Z]+\b", r"\\w+", row) for row in rows]
    return [name for name in names if not any(re.fullmatch(row, name) for row in rows)]


@pytest.mark.parametrize("study", config.FAMILIES["study"])
def test_metrics_that_a_study_shows_are_in_its_table(study):
    assert unlisted(study, config.FAMILIES["study"][study].columns) == []


# Small enough to take a second each.
SMALL = {
    "evaluate": ["study.loss_cap=5", "metric=[loss,accuracy,top_k,brier]"],
    "battery": ["study.sizes=[100]", "study.rows=[10]"],
    "plan": ["study.check_draws=50", "sampling=without_replacement"],
    "until": ["sampling=without_replacement"],
    "gate": ["study.margin.loss=0.02", "study.margin.accuracy=0.01", "study.audit='loss>0.05'"],
    "landscape": ["study.points=11"],
    "train": ["data.split=train", "study.budget_size=2000"],
    "trend": ["data=predictions", "data.path=2026-10-05.parquet", "study.files='*.parquet'"],
}


@pytest.mark.parametrize("study", config.FAMILIES["study"])
def test_metrics_that_a_study_logs_are_in_its_table(study, tmp_path, monkeypatch):
    # Where study=predict writes its file, and study=trend finds some.
    monkeypatch.chdir(tmp_path)
    weeks(tmp_path, (0.9, 0.9))
    config.register()
    overrides = [f"study={study}", "draws=20", *SMALL.get(study, [])]
    with initialize_config_dir(config.CONF, version_base="1.3"):
        experiment = config.to_experiment(compose("config", overrides=overrides))
    result = run(experiment, Always())
    names = {*result.metrics, *(name for name, _, _ in result.series)}
    assert names
    assert unlisted(study, names) == []
