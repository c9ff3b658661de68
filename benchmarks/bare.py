"""The peers of `benchmarks.tracking`, each a program of its own: bare MLflow runs, and Hydra's empty jobs.

``python -m benchmarks.bare mlflow RECORD STORE whole|values`` or ``python -m benchmarks.bare hydra --multirun …``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def log_again(record: list[dict[str, Any]], store: Path, *, whole: bool) -> None:
    """Log the runs of a sweep to another store as MLflow's own calls do it: the sweep's run first, then its cells.

    Parameters
    ----------
    record : list of dict
        As `benchmarks.tracking.recorded` returns it.
    store : Path
        The folder of a SQLite store that was made beforehand.
    whole : bool
        Log tags, the data set and files of the same sizes too; else the params and the metrics of the cells alone.
    """
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{store / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("bare")
    experiment_id = experiment.experiment_id if experiment else make_store(client, store)
    parent = ""
    for i, run in enumerate(record):
        tags = {"mlflow.parentRunId": parent} if parent else {}
        run_id = client.create_run(experiment_id, tags=tags, run_name=run["name"]).info.run_id
        parent = parent or run_id
        if whole or i:
            _log_run(client, run_id, run, whole=whole)
        client.set_terminated(run_id, "FINISHED")


def make_store(client: Any, store: Path) -> str:
    """Make the experiment, its artifacts beside the SQLite file, and return its id."""
    return str(client.create_experiment("bare", artifact_location=(store / "artifacts").as_uri()))


def _log_run(client: Any, run_id: str, run: dict[str, Any], *, whole: bool) -> None:
    from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag

    now = int(time.time() * 1000)
    metrics = [Metric(key, value, now, step) for key, value, step in run["metrics"]]
    params = [Param(key, value) for key, value in run["params"].items()]
    tags = [RunTag(key, value) for key, value in run["tags"].items()] if whole else []
    # MLflow takes a thousand entries a call.
    most = 1000 - len(params) - len(tags)
    client.log_batch(run_id, metrics[:most], params, tags)
    for start in range(most, len(metrics), 1000):
        client.log_batch(run_id, metrics[start : start + 1000])
    if not whole:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, size in run["files"].items():
            (Path(folder) / name).write_bytes(bytes(size))
        client.log_artifacts(run_id, folder)
    if run["data"]:
        client.log_inputs(run_id, [DatasetInput(Dataset(*data)) for data in run["data"]])


def run_empty_jobs() -> None:
    """Compose our configuration once a job with Hydra's own sweeper, and do nothing with it."""
    import hydra
    from hydra.core.config_store import ConfigStore
    from omegaconf import DictConfig

    from pipeline import config

    @hydra.main(version_base="1.3", config_path=config.CONF, config_name="config")
    def job(_composed: DictConfig) -> None:
        pass

    config.register()
    # The folders are ours; the sweeper is Hydra's, and nobody is called back.
    folders = {"run": {"dir": "${mlruns:}/run"}, "sweep": {"dir": "${mlruns:}/sweep", "subdir": "${hydra.job.num}"}}
    ConfigStore.instance().store(group="schema", name="hydra", node={"hydra": folders})
    job()


def main() -> None:
    """Run the peer that is named first."""
    peer = sys.argv.pop(1)
    if peer == "hydra":
        run_empty_jobs()
    elif peer == "mlflow":
        record, store, what = sys.argv[1:]
        log_again(json.loads(Path(record).read_text(encoding="utf-8")), Path(store), whole=what == "whole")
    else:
        sys.exit(f"a peer must be hydra or mlflow; found {peer}")


if __name__ == "__main__":
    main()
