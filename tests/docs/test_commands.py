"""Every command in README and docs composes, its values are accepted, and those on the digits fit together."""

import copy
import functools
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf, open_dict

from pipeline import commands, config
from pipeline.commands import given_file
from tests.docs.pages import PAGES, ROOT, commands_of

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMMANDS = list(
    dict.fromkeys(
        command for path in PAGES for command in commands_of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    )
)


@pytest.fixture(scope="module", autouse=True)
def hydra():
    config.register()
    with initialize_config_dir(config.CONF, version_base="1.3"):
        yield


def recipe(target):
    """Return the words of a make target's last command after ``-m``; none where it is no module of the pipeline."""
    found = re.search(rf"^{re.escape(target)}:[^\n]*\n((?:\t[^\n]*\n)*)", MAKEFILE, re.MULTILINE)
    assert found, f"no target {target} in the Makefile"
    module = re.search(r"python -m (pipeline\S*[^\n]*)", found[1])
    if not module:
        return []
    words, left = module[1], True
    while left:
        # Variables first, and then the conditions that held them.
        words, left = re.subn(r"\$\([^()]*\)", "", words)
    return shlex.split(words)


def words_of(command):
    """Return the module and the arguments that a command stands for."""
    program, *rest = command.words
    if program == "make":
        target, *variables = rest
        # The same as make, whose recipe a shell takes apart once more.
        given = dict(variable.split("=", 1) for variable in variables)
        return [*recipe(target), *shlex.split(given.get("ARGS", ""))]
    return rest[1:] if program == "python" else ["pipeline", *rest]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@functools.cache
def composition(choices):
    """Return a composed configuration, and of Hydra's own part what is swept by itself."""
    whole = compose("config", overrides=list(choices), return_hydra_config=True)
    params = OmegaConf.to_container(whole.hydra.sweeper, resolve=False).get("params") or {}
    with open_dict(whole):
        del whole["hydra"]
    return whole, params


def is_group(key):
    return key.startswith("hydra") or (Path(config.CONF) / key.partition("@")[0]).is_dir()


def is_choice(override):
    """Whether Hydra must compose it. Other keys are set in what it composed, in a hundredth of the time."""
    return override.is_add() or override.is_delete() or is_group(override.key_or_group)


def composed(overrides, **further):
    """Return the configuration of a cell, and what is swept by itself; `further` are values of swept keys."""
    chosen = {override.key_or_group: override.input_line for override in overrides if is_choice(override)}
    chosen |= {key: f"{key}={value}" for key, value in further.items() if is_group(key)}
    whole, params = composition(tuple(chosen.values()))
    cell = copy.deepcopy(whole)
    plain = {override.key_or_group: override.value() for override in overrides if not is_choice(override)}
    for key, value in {**plain, **further}.items():
        if not is_group(key):
            # Sizes that suit the data are not known before these are read.
            OmegaConf.update(cell, key, 1 if value == "auto" else value)
        if key == "study.against":
            # The files that must be there before anything is loaded; a pattern must match some.
            for named in value if isinstance(value, list) else [value]:
                file = Path(str(named).replace("*", "new"))
                file.parent.mkdir(exist_ok=True)
                file.touch()
        if key == "study.files":
            # A pattern must match some.
            file = Path(str(value).replace("*", "2026-10-05"))
            file.parent.mkdir(exist_ok=True)
            file.touch()
    return cell, params


def accept(cell):
    """Make the parts of a cell, and put them together where the data come with Batchscope."""
    experiment = config.to_experiment(cell)
    if experiment.data.name == "digits" and experiment.model.name == "mlp":
        experiment.prepare()


def check_sweep(overrides):
    """Compose the command without what it sweeps, and with each swept value."""
    alone = [override for override in overrides if not override.is_sweep_override()]
    master, params = composed(alone)
    study = config.to_experiment(master).study
    with open_dict(master):
        # In its place, for it may refer to the rest.
        master["params"] = params
        params = OmegaConf.to_container(master["params"], resolve=True)
    given = {override.key_or_group for override in overrides}
    given |= {name for key in given for name in study.replaced.get(key.replace("/", "."), ())}
    lines = [f"{key}={value}" for key, value in params.items() if key not in given]
    swept = [override for override in overrides if override.is_sweep_override()]
    for override in [*swept, *OverridesParser.create().parse_overrides(lines)]:
        values = override.sweep_iterator() if override.is_sweep_override() else [override.value()]
        for value in values:
            accept(composed(alone, **{override.key_or_group: value})[0])


def check(command):
    """Compose what a command asks for: alone, or with each value of a sweep."""
    module, *given = words_of(command) or [None]
    if module != "pipeline":
        assert module is None or importlib.util.find_spec(module) is not None
        return
    if given and given_file.is_meant(given[0]):
        Path(given[0]).touch()
    name, arguments = commands.split(given)
    if "--help" in arguments:
        return
    if name is not None and commands.COMMANDS[name].is_tool:
        assert all("=" in argument for argument in arguments), "KEY=VALUE alone"
        return
    if name is not None:
        arguments = commands.for_hydra(name, arguments)
    if "--multirun" in arguments:
        lines = [argument for argument in arguments if argument != "--multirun"]
        check_sweep(OverridesParser.create().parse_overrides(lines))
    elif "--config-path" not in arguments:  # Else a recorded cell's own file.
        overrides = OverridesParser.create().parse_overrides(arguments)
        assert not any(override.is_sweep_override() for override in overrides), "one value, or --multirun"
        accept(composed(overrides)[0])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {command.text}")
def test_commands_compose(command):
    check(command)


def test_commands_are_found_in_code_blocks_and_beside_text():
    text = 'See `make ui ARGS="port=1"`.\n\n    make sweep ARGS="draws=5"  # five\n    make run ARGS="…"\n    ls\n'
    assert [command.text for command in commands_of("page", text)] == [
        'make sweep ARGS="draws=5"  # five',
        'make ui ARGS="port=1"',
    ]
    assert len(COMMANDS) > 50


@pytest.mark.parametrize(
    "text",
    [
        'make sweep ARGS="batch_sise=10"',
        'make sweep ARGS="batch_size=10,0"',
        'make run ARGS="batch_size=1,10"',
        'make sweep ARGS="sampling=stratified sampling.by=proxy"',
        'make plan ARGS="data=nowhere"',
        "python -m pipeline sampling=stratified sampling.strata=1",
        "batchscope sweep interval/loss=hall,nothing",
        "make swep",
    ],
)
def test_a_wrong_command_is_found(text):
    (command,) = commands_of("page", f"    {text}\n")
    with pytest.raises(Exception):  # noqa: B017, PT011
        check(command)
