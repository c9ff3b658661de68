"""Run one cell of a sweep in a worker process."""

from __future__ import annotations

import json
import socket
import traceback
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from .. import config, errors
from ..cell.identity import Member
from ..cell.run import run_member
from ..errors import BadInput, Changed, Failed, was_interrupted
from ..runtime import command_line, cores, files
from ..runtime.redact import without_secret
from ..runtime.signals import exit_if_asked
from . import outcomes
from .outcomes import LAUNCH, Outcome


def is_running() -> bool:
    """Whether the current job belongs to a sweep."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def run_one(composed: DictConfig) -> None:
    """Run one cell of a sweep and write its outcome to the sweep's folder; an error does not stop the other cells."""
    exit_if_asked()
    hydra = HydraConfig.get()
    folder, number = Path(hydra.sweep.dir), int(hydra.job.num)
    if not (folder / LAUNCH).is_file():
        raise BadInput(
            f"hosts that work at one sweep must share its folder; found no {folder / LAUNCH} on "
            f"{socket.gethostname()}: let BATCHSCOPE_MLRUNS name a folder that all of them have"
        )
    launch = _read(folder / LAUNCH, (folder / LAUNCH).stat().st_ino)
    digest = launch["digests"][number]
    member = Member(launch["parent"], tuple(launch["varied"]), digest, launch["labels"])
    outcome = Outcome(without_secret(" ".join(hydra.overrides.task)), digest, "finished")
    try:
        experiment = config.to_experiment(composed)
        _check_host(launch["host"], experiment.tracking.uri)
        with cores.shared_by(launch["workers"]), command_line.instead(None, hydra.overrides.task):
            run_member(experiment, member)
    except Exception as error:
        exit_if_asked()
        if was_interrupted(error):
            raise KeyboardInterrupt from error
        if errors.WANTS_TRACEBACK:
            traceback.print_exc()
        status = _status(error)
        shown = files.unwritable(error) if isinstance(error, OSError) and files.is_unwritable(error) else error
        message = without_secret(config.one_line(shown)) or type(error).__name__
        outcome = Outcome(outcome.cell, digest, status, message)
    with suppress(OSError):
        # The disk may be full. The sweep does not need this file: it counts the finished runs in the store.
        outcomes.write(folder, number, outcome)


@lru_cache(maxsize=1)
def _read(path: Path, _inode: int) -> dict[str, Any]:
    """Return the launch, read once for all cells of a process; written anew it is another file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _status(error: Exception) -> str:
    if isinstance(error, Changed):
        return "changed"
    return "refused" if config.is_request_error(error) else "kept" if isinstance(error, Failed) else "failed"


def _check_host(host: str, uri: str) -> None:
    if uri.startswith("sqlite:") and socket.gethostname() != host:
        raise BadInput(
            f"tracking.uri must be a server's address where workers run on other hosts; found {uri} on {host}, asked "
            f"for on {socket.gethostname()}: start a server (docs/scaling.md) and point tracking.uri at it"
        )
