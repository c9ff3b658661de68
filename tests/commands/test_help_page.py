"""The help page: every choice is on it, every example composes, and every line fits 80 columns."""

import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline import commands, config, sweeps
from pipeline.commands import help_page

CONF = Path(config.CONF)
GROUPS = sorted({str(path.parent.relative_to(CONF)) for path in CONF.rglob("*.yaml")} - {"."})


def section(page, head):
    """The lines of a page below a heading."""
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head))
    return list(itertools.takewhile(bool, lines[start + 1 :]))


def choices_of(page, group):
    """The words in the column of choices of a group."""
    lines = section(page, "Groups")
    start = lines.index(f"  {group}")
    own = itertools.takewhile(lambda line: line.startswith("   "), lines[start + 1 :])
    return " ".join(line[4:25] if line[4:24].strip() and line[25:26] == " " else line[4:] for line in own).split()


def combinations(*overrides):
    """Every cell that a command line asks for, as Hydra's sweeper reads it."""
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        parser = OverridesParser.create(GlobalHydra.instance().config_loader())
        parsed = parser.parse_overrides([line for line in overrides if line != "--multirun"])
        values = [
            list(each.sweep_string_iterator()) if each.is_sweep_override() else [each.get_value_element_as_str()]
            for each in parsed
        ]
        keys = [each.get_key_element() for each in parsed]
        cells = [
            [f"{key}={value}" for key, value in zip(keys, cell, strict=True)] for cell in itertools.product(*values)
        ]
        return [compose("config", cell) for cell in cells]


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "experiment"])
def test_every_choice_of_every_group_is_on_the_page(group):
    names = {path.stem for path in (CONF / group).glob("*.yaml")}
    assert names <= set(choices_of(help_page.page(), group))


def test_every_prepared_experiment_and_every_launcher_is_on_the_page():
    page = help_page.page()
    assert {path.stem for path in (CONF / "experiment").glob("*.yaml")} <= set(choices_of(page, "+experiment"))
    assert {"basic", "joblib", "submitit_slurm", "ray"} <= set(choices_of(page, "hydra/launcher"))


def test_the_marked_choices_are_those_that_a_run_without_arguments_takes():
    config.register()
    (composed,) = combinations()
    experiment = config.to_experiment(composed)
    groups = help_page.groups()
    marked = {group: [name[:-2] for name in groups[group] if name.endswith(" *")] for group in groups}
    assert marked["data"] == [experiment.data.name]
    assert marked["model"] == [experiment.model.name]
    assert marked["sampling"] == [experiment.sampling.name]
    assert marked["study"] == [experiment.study.name]
    assert marked["interval/loss"] == [experiment.interval.loss.name]
    assert marked["interval/accuracy"] == [experiment.interval.accuracy.name]
    assert set(marked["metric"]) == set(experiment.metric)


@pytest.mark.parametrize("example", [arguments for arguments, _ in help_page.EXAMPLES], ids=" ".join)
def test_every_example_composes(example, tmp_path, monkeypatch):
    for name in ("FILE", "FILE2"):
        (tmp_path / name).touch()
    (tmp_path / "weeks").mkdir()
    (tmp_path / "weeks" / "2026-10-05.parquet").touch()
    monkeypatch.chdir(tmp_path)
    config.register()
    sweeps.register()
    name, arguments = commands.split(example)
    arguments = arguments if name is None else commands.for_hydra(name, arguments)
    cells = [config.to_experiment(each) for each in combinations(*arguments)]
    assert cells
    if name is not None:
        assert {cell.study.name for cell in cells} == {help_page.study_of(name)}


def test_there_are_ten_examples_and_one_at_least_of_every_command_that_evaluates():
    assert len(help_page.EXAMPLES) >= 10
    shown = {arguments[0] for arguments, _ in help_page.EXAMPLES}
    assert {name for name, command in commands.COMMANDS.items() if not command.is_tool} <= shown


@pytest.mark.parametrize("command", [None, *commands.COMMANDS])
def test_a_page_fits_80_columns_and_says_what_a_command_does(command):
    page = help_page.page(command)
    # A path of a folder cannot be broken.
    assert max(len(line) for line in page.splitlines() if "Everything is written to" not in line) <= 80
    for name, other in commands.COMMANDS.items():
        assert command not in (None, name) or other.does in " ".join(page.split())


@pytest.mark.parametrize("command", [name for name, command in commands.COMMANDS.items() if not command.is_tool])
def test_a_commands_page_lists_every_option_of_its_study(command):
    study = config.FAMILIES["study"][help_page.study_of(command)]
    page = help_page.page(command)
    # What is chosen as a group of its own is no value.
    names = [field.name for field in dataclasses.fields(study) if field.name not in ("name", "direction", "other")]
    assert [name for name in names if f"study.{name}=" not in page] == []


def test_the_makefile_and_the_table_name_the_same_commands():
    lines = (CONF.parent / "Makefile").read_text(encoding="utf-8").splitlines()
    called = {line.partition("-m pipeline ")[2].split()[0] for line in lines if "-m pipeline " in line}
    assert called == set(commands.COMMANDS)
    for line in lines:
        target, is_documented, text = line.partition(":")[0], "## " in line, line.partition("## ")[2]
        if is_documented and target in commands.COMMANDS:
            assert commands.COMMANDS[target].does.partition(":")[0] == text.partition(":")[0]


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_is_ours_and_exits_with_0(flag):
    done = subprocess.run([sys.executable, "-m", "pipeline", flag], cwd=CONF.parent, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.strip() == help_page.page().strip()


def test_hydras_own_pages_still_show(request_of):
    assert "--shell-completion" in request_of("--hydra-help").stdout
    shown = request_of("sweep", "--cfg", "job", "draws=7")
    assert shown.returncode == 0
    assert "draws: 7" in shown.stdout


def test_a_word_that_is_no_command_is_refused_with_the_nearest_one(request_of):
    done = request_of("swep", "draws=7")
    assert done.returncode == 2
    assert done.stderr.startswith("batchscope: a command must be one of evaluate, run, ")
    assert done.stderr.endswith("found 'swep': did you mean sweep?\n")


def test_the_short_page_fits_a_screen_and_its_lines_are_commands():
    lines = help_page.short().splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    shown = [line.split("pipeline ", 1)[1].split() for line in lines if line.startswith("  python -m pipeline ")]
    assert [words[0] for words in shown] == ["FILE", "compare", "plan", "sweep", "ui"]
    assert {words[0] for words in shown[1:]} <= set(commands.COMMANDS)
