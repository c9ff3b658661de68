"""The commands, as the command line and the make targets name them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BadInput, brief
from ..runtime.redact import without_secret
from . import given_file


@dataclass(frozen=True)
class Command:
    """What a command does.

    Attributes
    ----------
    does : str
        In a line, for the help page.
    arguments : tuple of str
        What Hydra is given before the arguments of the command line; those win.
    is_tool : bool
        Whether it is a program of its own beside the pipeline, with arguments of its own.
    """

    does: str
    arguments: tuple[str, ...] = ()
    is_tool: bool = False


def _swept(does: str, experiment: str) -> Command:
    return Command(does, ("--multirun", f"+experiment={experiment}"))


def _alone(does: str, experiment: str) -> Command:
    return Command(does, (f"+experiment={experiment}",))


COMMANDS = {
    "evaluate": _alone("how good is the model on all rows, and how sure is that", "evaluate"),
    "run": Command("draw batches of one size, and hold them against all rows"),
    "sweep": _swept("sweep the batch size, log to MLflow, end with a table", "sweep"),
    "plan": _alone("how many examples are enough, for every design", "plan"),
    "until": _alone("evaluate rows until the intervals are narrow enough", "until"),
    "label": _alone("few labels, well chosen: which rows to label next, and what the labels say", "label"),
    "designs": _alone("every design side by side, at one batch size", "designs"),
    "coverage": _swept("how often each interval holds what it promises, by batch size", "coverage"),
    "gate": _alone("is the candidate better, not worse, or worse: exit status 0, 3, or 4 if undecided", "gate"),
    "compare": _swept("how many examples each metric needs to see a small change", "compare"),
    "landscape": _swept("loss and accuracy while the parameters move along a line", "landscape"),
    "train": _swept("mini-batch learning with several batch sizes", "train"),
    "trend": _alone("the same model over weeks: has it changed?", "trend"),
    "predict": _alone("write a model's predictions for all rows to a Parquet file", "predict"),
    "reproduce": Command("run a recorded run again and say what is identical: run=ID, or run=newest", is_tool=True),
    "export": Command(
        "pack a run (tables, plots, configurations) into one archive: run=ID, or the newest", is_tool=True
    ),
    "report": Command("write a run's report, to be sent, as HTML and Markdown: run=ID, or the newest", is_tool=True),
    "ui": Command("open the MLflow dashboard on 127.0.0.1", is_tool=True),
}
HELP = {"--help", "-h"}
VERSION = {"--version", "-V"}
# What Hydra does in place of running; it refuses --multirun beside them.
_SHOWS = ("--cfg", "-c", "--info", "-i", "--shell-completion", "-sc", "--run", "-r")

# All that Hydra's command line knows by a long name; of it, an unambiguous beginning will do.
_FLAGS = ("--help", "--hydra-help", "--version", "--cfg", "--resolve", "--package", "--run", "--multirun",
          "--shell-completion", "--config-path", "--config-name", "--config-dir", "--experimental-rerun",
          "--info")  # fmt: skip


def split(line: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the command that a command line begins with, or None, and the arguments after it.

    A file in place of a command is evaluated.

    Raises
    ------
    BadInput
        If the command line begins with a word that is no command, or with a file that does not exist, or if an option
        is written with dashes.
    """
    if line and line[0] not in COMMANDS and given_file.is_meant(line[0]):
        return "evaluate", given_file.with_files(line)
    if len(line) > 1 and line[0] in COMMANDS and not COMMANDS[line[0]].is_tool and given_file.is_meant(line[1]):
        return line[0], given_file.with_files(line[1:])
    if line and line[0].isalpha() and line[0] not in COMMANDS:
        near = difflib.get_close_matches(line[0], COMMANDS, n=1)
        advice = f"did you mean {near[0]}?" if near else "--help shows what each does"
        raise BadInput(f"a command must be one of {', '.join(COMMANDS)}; found {brief(line[0])!r}: {advice}")
    name = line[0] if line and line[0] in COMMANDS else None
    arguments = list(line[1:] if name else line)
    if name is None or not COMMANDS[name].is_tool:
        _check_dashes(arguments)
    return name, arguments


def _check_dashes(arguments: Sequence[str]) -> None:
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        # Hydra's short flags have one or two letters, as -cd.
        is_option = flag.startswith("-") and len(flag) > 3 and (flag.startswith("--") or equals)
        if is_option and not any(known.startswith(flag) for known in _FLAGS):
            option = f"{flag.lstrip('-')}={without_secret(value) or 'VALUE'}"
            raise BadInput(
                f"an option must be written NAME=VALUE, without dashes; found {brief(without_secret(argument))!r}: "
                f"write {brief(option)}"
            )


def for_hydra(name: str, arguments: Sequence[str]) -> list[str]:
    """Return what Hydra is given for a command that is no tool."""
    # Hydra's flags come first, because argparse takes only overrides that stand together.
    overrides = [argument for argument in arguments if _is_override(argument)]
    flags = [argument for argument in arguments if not _is_override(argument)]
    is_shown = any(flag.partition("=")[0] in _SHOWS for flag in flags)
    own = [line for line in COMMANDS[name].arguments if not (is_shown and line == "--multirun")]
    return [*flags, *own, *overrides]


def _is_override(argument: str) -> bool:
    return not argument.startswith("-") and ("=" in argument or argument.startswith(("~", "+")))


def run_tool(name: str, arguments: Sequence[str]) -> int:
    """Carry out a command that is a program of its own, and return its exit status."""
    # Imported here, because no tool needs all of the package.
    if name == "reproduce":
        from .reproduce import main
    elif name == "export":
        from .export import main
    elif name == "report":
        from .report import main
    else:
        from .dashboard import run as main
    return main(arguments)
