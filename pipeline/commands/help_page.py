"""The help page: commands, examples, and every group with its choices, made from the parts and their YAML files."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import yaml

from ..config.families import FAMILIES, FIELDS_OF_OTHER_FAMILIES
from ..runtime import files
from . import COMMANDS

WIDTH = 79
_COLUMN = 22
# A line of a YAML file: key, value, comment.
_LINE = re.compile(r"^(?:\"?(\w+)\"?: *([^#\n]*?))? *(?:#+ (.*))?$", re.MULTILINE)

# The arguments of a command line, and what it does. A command's own page shows those that begin with it.
EXAMPLES = (
    (("FILE",), "predictions of your own: how good, how sure, by class"),
    (("sweep",), "batch sizes from 1 up on the digits, with a table and plots"),
    (("sweep", "batch_size=10,100", "sampling=with_replacement,stratified"), "two batch sizes by two designs"),
    (("sweep", "data=predictions", "data.path=FILE"), "predictions of your own: labels with logits or probabilities"),
    (("sweep", "data=mnist", "data.root=FOLDER", "draws=500", "hydra/launcher=joblib"), "cells beside each other"),
    (("evaluate", "data=mnist", "data.root=FOLDER"), "how good the model is on all rows, and by class"),
    (("run", "batch_size=30", "interval/loss=bootstrap_t"), "one batch size, with another interval around the loss"),
    (("plan", "study.loss_within=0.01", "study.pilot=200"), "how many examples are enough, judged by 200 of them"),
    (("until", "study.accuracy_within=0.01"), "evaluate rows until the accuracy is known to a point"),
    (("label", "data=predictions", "data.path=FILE"), "no labels yet: which rows to label, and what they say of all"),
    (("compare", "model=npz", "model.path=FILE", "study.against=FILE2"), "two networks on the same rows"),
    (
        ("trend", "data=predictions", "data.path=latest.parquet", "study.files='weeks/*.parquet'"),
        "has the model changed over the weeks?",
    ),
    (("gate", "study.against=FILE", "study.margin.loss=0.02", "study.margin.accuracy=0.01"), "a verdict for scripts"),
    (("landscape", "study/direction=gradient,random"), "the loss and the accuracy along two directions"),
    (("coverage", "batch_size=10,30,100"), "how often the intervals hold the population's values"),
    (("designs", "batch_size=50", "proxy=entropy"), "every sampling design side by side"),
    (("train", "batch_size=8,64"), "mini-batch learning with two batch sizes"),
    (("predict", "data=mnist", "study.to=mnist.parquet"), "the model's outputs for all rows, as a file"),
    (("--multirun", "study=gradient_noise", "model.hidden=[20],[50]"), "a sweep without a prepared command"),
)
_ABOUT = """
    Batchscope draws mini-batches from an evaluation set and compares the loss and the accuracy of each with the values
    of all rows: how far one mini-batch can be trusted, how many examples are enough, and which of the two numbers sees
    a change first. Rows are loaded, sampled and scored, an interval is put around each estimate, and all of it is
    logged to MLflow.
"""
_SHORT = "Batchscope says how far the loss and the accuracy of a classifier can be trusted."
_WHERE = """
    Everything is written to {mlruns}: the MLflow store mlflow.db, plots and tables in artifacts/, caches in cache/.
    BATCHSCOPE_MLRUNS names another folder; tracking.uri another store. A sweep that is started again carries out what
    is missing alone.
"""
_LAUNCHERS = {
    "basic *": "the cells of a sweep one after the other, in this process",
    "joblib": "in processes of this machine: hydra.launcher.n_jobs=N",
    "submitit": "as jobs of a Slurm cluster",
    "submitit_slurm": "the same, with submitit's own defaults",
    "submitit_local": "in processes that submitit starts on this machine",
    "ray": "as tasks of Ray, on this machine or on a cluster",
}
_STATUSES = {
    "0": "done",
    "1": "something failed; what was finished is kept, and starting again goes on from there",
    "2": "the request was wrong; one line says what must hold, what was found, and what to do",
    "3": "gate: the candidate is worse; trend: the model has changed",
    "4": "gate: the rows at hand do not decide",
    "130, 143, 129": "stopped by Ctrl-C or a signal; what was finished is kept",
}
_MORE = {
    "COMMAND --help": "a command's options and examples",
    "--version": "show the version",
    "--cfg job": "show the whole configuration in place of running",
    "--hydra-help": "the flags of Hydra, which composes the configuration",
    "HYDRA_FULL_ERROR=1": "an environment variable: show the traceback of an error",
}


def page(command: str | None = None) -> str:
    """Return the help page of the program, or of one command."""
    return "\n".join(_of_program() if command is None else _of_command(command))


def short() -> str:
    """Return what a command line without any word is answered with: what to type first."""
    program = _program()
    first = {
        f"{program} FILE": "how good are these predictions, and how sure is that? A table with the columns label and "
        "logits, probabilities or prediction: CSV, Parquet, Arrow, JSON Lines, npz",
        f"{program} compare data=predictions data.path=OLD study.against=NEW": "is the new model better, row by row?",
        f"{program} plan data=predictions data.path=FILE": "how many rows are enough?",
        f"{program} sweep": "how far is one mini-batch off? On real digits, if nothing else is said",
        f"{program} ui": "all results in the MLflow dashboard",
    }
    lines = [*_paragraph(_SHORT), ""]
    for line, does in first.items():
        lines += [f"  {line}", *_wrapped(does, "      ", "      ")]
    return "\n".join([*lines, "", f"All commands, options and examples: {program} --help"])


def _of_program() -> Iterator[str]:
    yield from _paragraph(_ABOUT)
    yield from ("", "Usage", f"  {_program()} [COMMAND | FILE] [KEY=VALUE ...]")
    yield f"  {_program()} --multirun KEY=VALUE,VALUE ..."
    yield from ("", "Commands")
    yield from _table({name: command.does for name, command in COMMANDS.items()})
    yield from ("", "Examples", *_examples(EXAMPLES))
    yield from ("", "Values, with their defaults: KEY=VALUE")
    yield from _table(_options("config"))
    yield from ("", "Groups and their choices: GROUP=CHOICE (* is the default)")
    for group, choices in groups().items():
        yield f"  {group}"
        yield from _table(choices, indent=4)
    yield from ("", "Where outputs go", *_paragraph(_WHERE.format(mlruns=files.mlruns()), indent=2))
    yield from ("", "Exit status", *_table(_STATUSES))
    yield from ("", "More", *_table(_MORE))


def _of_command(name: str) -> Iterator[str]:
    command = COMMANDS[name]
    yield from _paragraph(f"{_program()} {name}: {command.does}")
    if command.is_tool:
        yield from ("", *_usage_of_tool(name))
    else:
        yield from ("", "Usage", f"  {_program()} {name} [KEY=VALUE ...]")
        if command.arguments:
            yield from ("", "It stands for", f"  {_program()} {' '.join(command.arguments)} [KEY=VALUE ...]")
        study = study_of(name)
        yield from ("", f"Options of study={study}", *_table(_options(f"study/{study}", at="study.")))
    own = [example for example in EXAMPLES if example[0][0] == name]
    if own:
        yield from ("", "Examples", *_examples(own))
    yield from ("", f"Groups, values, outputs and exit statuses: {_program()} --help")


def groups() -> dict[str, dict[str, str]]:
    """Return every group of the configuration, and what each of its choices is, by name; ``*`` follows a default."""
    chosen = _defaults()
    found = {}
    for group, members in FAMILIES.items():
        marks = {name: f"{name} *" if (group, name) in chosen else name for name in members}
        found[group] = {marks[name]: _first_line(part) for name, part in members.items()}
    for group, family in FIELDS_OF_OTHER_FAMILIES.items():
        if (files.configuration() / group).is_dir():
            names = sorted(path.stem for path in (files.configuration() / group).glob("*.yaml"))
            found[group] = {" ".join(names): f"as in {family}"}
    experiments = sorted((files.configuration() / "experiment").glob("*.yaml"))
    found["hydra/launcher"] = _LAUNCHERS
    found["+experiment"] = {path.stem: _comment(f"experiment/{path.stem}") for path in experiments}
    return found


def study_of(command: str) -> str:
    """Return the name of the study that a command runs."""
    experiment = next((line for line in COMMANDS[command].arguments if line.startswith("+experiment=")), None)
    if experiment is not None:
        for entry in _yaml(experiment.removeprefix("+").replace("=", "/")).get("defaults", []):
            if "override /study" in entry:
                return str(entry["override /study"])
    return next(name for group, name in _defaults() if group == "study")


def _defaults() -> set[tuple[str, str]]:
    """The choices that the configuration makes by itself: (group, name), those of the chosen parts among them."""
    found: set[tuple[str, str]] = set()
    left = [("", "config")]
    while left:
        group, name = left.pop()
        for entry in _yaml(f"{group}/{name}".lstrip("/")).get("defaults", []):
            for key, value in entry.items() if isinstance(entry, dict) else ():
                if re.search(r"override|@|^hydra", key) or value is None:
                    continue
                names = [value] if isinstance(value, str) else value
                own = [(f"{group}/{key}".lstrip("/"), each) for each in names]
                found.update(own)
                left += own
    return found


def _first_line(part: type) -> str:
    """What the first line of a part's docstring claims, without marks, references and second thoughts."""
    line = re.sub(r"\s*\[[A-Z][^\]]*\d{4}[^\]]*\]", "", (inspect.getdoc(part) or "").splitlines()[0])
    return re.split(r"[.;] ", line)[0].rstrip(".").replace("`", "")


def _comment(name: str) -> str:
    """The first sentence of the comment that a YAML file begins with."""
    lines = (files.configuration() / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    text = " ".join(line.removeprefix("# ") for line in lines if line.startswith("#") and "@package" not in line)
    return re.split(r"[.;] ", text.removeprefix(f"make {name.rpartition('/')[2]}: "))[0].rstrip(".")


def _options(name: str, at: str = "") -> dict[str, str]:
    """The values of a YAML file, and what its comments say of them."""
    text = (files.configuration() / f"{name}.yaml").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for key, value, comment in _LINE.findall(text.partition("_self_")[2]):
        if key:
            found[f"{at}{key}={value}"] = comment
        elif comment and found:
            # A comment that goes on in the next line.
            last = next(reversed(found))
            found[last] = f"{found[last]} {comment}"
    return found


def _yaml(name: str) -> dict[str, Any]:
    found = yaml.safe_load((files.configuration() / f"{name}.yaml").read_text(encoding="utf-8"))
    return dict(found or {})


def _usage_of_tool(name: str) -> Iterator[str]:
    module = import_module(f"{__package__}.{'dashboard' if name == 'ui' else name}")
    head, _, usage = (inspect.getdoc(module) or "").partition("\n\n")
    yield from _paragraph(head)
    yield from ("", "Usage")
    yield from _wrapped(usage.replace("python -m pipeline", _program()), "  ", "      ")


def _program() -> str:
    return "python -m pipeline" if files.checkout() else "batchscope"


def _examples(examples: Iterable[tuple[tuple[str, ...], str]]) -> Iterator[str]:
    for arguments, does in examples:
        *head, last = _wrapped(f"{_program()} {' '.join(arguments)}", "  ", "    ", width=WIDTH - 2)
        yield from (f"{line} \\" for line in head)
        yield last
        yield from _wrapped(does, "      # ", "      # ")


def _table(rows: dict[str, str], indent: int = 2) -> Iterator[str]:
    for name, text in rows.items():
        start = f"{' ' * indent}{name}"
        hanging = " " * (_COLUMN + indent)
        if len(start) < len(hanging) - 1:
            yield from _wrapped(text, start.ljust(len(hanging)), hanging)
        else:
            yield from _wrapped(name, " " * indent, " " * (indent + 2))
            yield from _wrapped(text, hanging, hanging)


def _paragraph(text: str, indent: int = 0) -> list[str]:
    return _wrapped(" ".join(text.split()), " " * indent, " " * indent)


def _wrapped(text: str, first: str, others: str, width: int = WIDTH) -> list[str]:
    wrap = textwrap.TextWrapper(
        width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False, break_long_words=False
    )
    return wrap.wrap(text) or [first.rstrip()]
