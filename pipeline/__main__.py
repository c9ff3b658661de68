"""Compose, convert, run: ``python -m pipeline [COMMAND] [--multirun] [KEY=VALUE …]``."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from . import commands, errors
from .report import terminal
from .runtime import command_line, files, leftovers, signals

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main() -> None:
    """Carry out the command line, and end with the exit status that the help page promises."""
    try:
        name, arguments = commands.split(sys.argv[1:])
    except errors.BadInput as error:
        terminal.error(str(error))
        sys.exit(2)
    if not sys.argv[1:]:
        from .commands import help_page

        print(help_page.short())
    elif commands.HELP.intersection(arguments):
        from .commands import help_page

        print(help_page.page(name))
    elif commands.VERSION.intersection(arguments):
        print(f"batchscope {files.version()}")
    else:
        try:
            _carry_out(name, arguments)
        except KeyboardInterrupt:
            _say_stopped("interrupted")
            sys.exit(130)


def _carry_out(name: str | None, arguments: list[str]) -> None:
    try:
        files.check()
    except errors.BadInput as error:
        terminal.error(str(error))
        sys.exit(2)
    files.fix_mlruns()
    leftovers.clear()
    if name is not None and commands.COMMANDS[name].is_tool:
        sys.exit(commands.run_tool(name, arguments))
    else:
        if sys.stderr.isatty():
            # What follows takes seconds: libraries are imported, and a sweep's cells are checked.
            print(f"Preparing {name or 'a run'} …", file=sys.stderr, flush=True)
        command_line.remember(name, arguments)
        sys.argv[1:] = arguments if name is None else commands.for_hydra(name, arguments)
        signals.exit_on_signals()
        try:
            _compose_and_run()
        except SystemExit:
            if name_of_signal := signals.asked_by():
                _say_stopped(f"stopped by {name_of_signal}")
            # In the midst of Ray the exception of a signal comes out as a SystemExit with status 1.
            signals.exit_if_asked()
            raise


def _say_stopped(how: str) -> None:
    # The terminal may be what was lost.
    with suppress(OSError):
        terminal.error(f"{how}; what was finished is kept")


def _compose_and_run() -> None:
    """Let Hydra compose what its command line asks for, and run the cell or the sweep."""
    # Importing and composing make many objects that stay; looking for garbage among them takes a tenth of the start.
    gc.disable()
    # Imported here, because the tools and the help page start faster without Hydra.
    import hydra

    from . import config, sweeps

    # Hydra prints errors in lines of its own and exits with 1; with this set it hands them over.
    if not errors.WANTS_TRACEBACK:
        os.environ[errors.PLAIN] = "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"
    config.register()
    sweeps.register()
    try:
        sweeps.refuse_long_lists(sys.argv[1:])
        with config.checked(), sweeps.mode_from(sys.argv[1:]):
            hydra.main(version_base="1.3", config_path=config.CONF, config_name="config")(_job)()
    except BrokenPipeError:
        _end_unread()
    except Exception as given:
        # In the midst of a library the exception of a signal may come out as another error.
        signals.exit_if_asked()
        if errors.was_interrupted(given):
            raise KeyboardInterrupt from given
        error = config.in_words(given)
        if errors.WANTS_TRACEBACK or not config.is_plain(error):
            raise
        terminal.error(config.one_line(error))
        sys.exit(2 if config.is_request_error(error) else 1)


def _end_unread() -> NoReturn:
    """End: whoever reads the output has seen enough, as in ``| head``; all is logged by then."""
    # Python would complain once more when it flushes at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(141)


def _job(composed: DictConfig) -> None:
    """Run one job of Hydra's: a cell alone, or a cell of a sweep."""
    gc.enable()
    from . import config, sweeps

    if sweeps.is_running():
        sweeps.run_one(composed)
        return
    from .cell.run import run_alone

    experiment = config.or_exit(lambda: config.to_experiment(composed))
    run_id, result = config.or_exit(lambda: run_alone(experiment, terminal.note))
    try:
        terminal.cell(result, run_id=run_id, folder=experiment.tracking.open().folder(run_id))
    except BrokenPipeError:
        # Here, because Hydra prints a line of its own before it passes an error on.
        _end_unread()
    if result.status:
        raise SystemExit(result.status)


if __name__ == "__main__":
    main()
