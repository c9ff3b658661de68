"""Compose, convert, run: ``python -m pipeline [--multirun] [KEY=VALUE …]``."""

from __future__ import annotations

import os
import sys

import hydra
from omegaconf import DictConfig

from pipeline import config, files, report, sweep
from pipeline.cell import run_alone
from pipeline.errors import was_interrupted


@hydra.main(version_base="1.3", config_path=config.CONF, config_name="config")
def _cell(composed: DictConfig) -> None:
    if sweep.is_running():
        sweep.run_one(composed)
        return
    experiment = config.or_exit(lambda: config.to_experiment(composed))
    run_id, result = config.or_exit(lambda: run_alone(experiment, report.note))
    report.cell(result, run_id=run_id, folder=experiment.tracking.open().folder(run_id))


def main() -> None:
    """Run, and end with the exit status that README promises."""
    # Hydra prints errors in lines of its own and exits with 1; with this set it hands them over.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    config.register()
    try:
        files.check()
        _cell()
    except (Exception, KeyboardInterrupt) as given:
        if was_interrupted(given):
            report.error("interrupted; what was finished is kept")
            sys.exit(130)
        error = files.unwritable(given) if isinstance(given, OSError) and files.is_unwritable(given) else given
        if report.WANTS_TRACEBACK or not config.is_plain(error):
            raise
        report.error(config.one_line(error))
        sys.exit(2 if config.is_request_error(error) else 1)


if __name__ == "__main__":
    main()
