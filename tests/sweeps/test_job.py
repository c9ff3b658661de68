"""A worker runs the cell that the launch file names, and writes what became of it."""

import copy
import json
import socket

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict

from pipeline import config
from pipeline.errors import BadInput
from pipeline.sweeps import job
from pipeline.sweeps.outcomes import LAUNCH


@pytest.fixture
def run_job(tmp_path):
    """A function that runs the cell of job 1, composed from overrides, as Hydra's launchers do."""
    before = copy.copy(HydraConfig.instance().cfg)

    def run(*overrides):
        config.register()
        with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
            own = ["hydra.mode=MULTIRUN", f"hydra.sweep.dir={tmp_path}", "hydra.job.num=1", "hydra.job.id=1"]
            composed = compose("config", overrides=[*own, *overrides], return_hydra_config=True)
        with open_dict(composed.hydra.overrides):
            composed.hydra.overrides.task = list(overrides)
        HydraConfig.instance().set_config(composed)
        assert job.is_running()
        job.run_one(composed)
        return json.loads((tmp_path / "outcomes" / "1.json").read_text())

    yield run
    HydraConfig.instance().cfg = before


def write_launch(folder, parent, digest, host=None):
    content = {"parent": parent, "varied": ["batch_size"], "labels": {}, "digests": ["of job 0", digest], "workers": 1}
    (folder / LAUNCH).write_text(json.dumps(content | {"host": host or socket.gethostname()}))


@pytest.fixture
def new_cell(finished, tmp_path):
    """A cell that the finished sweep lacks, its overrides, and the launch file of a job for it."""
    cell = finished.request(sizes=(50,)).cells[0]
    write_launch(tmp_path, finished.parent, cell.digest)
    return cell


def test_the_cell_is_logged_below_the_sweep_and_its_outcome_is_finished(finished, new_cell, run_job):
    outcome = run_job(*new_cell.overrides)
    assert outcome["status"] == "finished"
    assert outcome["digest"] == new_cell.digest
    assert outcome["message"] == ""
    run = finished.store.finished_cell(finished.parent, new_cell.digest)
    assert run.data.params["batch_size"] == "50"
    assert len(finished.store.children(finished.parent)) == 3


def test_a_cell_that_is_finished_already_is_not_run_again(finished, run_job, tmp_path):
    cell = finished.request().cells[0]
    write_launch(tmp_path, finished.parent, cell.digest)
    assert run_job(*cell.overrides)["status"] == "finished"
    assert len(finished.store.children(finished.parent)) == 2


def test_a_cell_that_is_not_the_one_of_the_launch_is_refused(finished, new_cell, run_job):
    outcome = run_job(*new_cell.overrides, "seed=1")
    assert outcome["status"] == "changed"
    assert outcome["message"].startswith("configuration, data, weights and source must stay as they are")
    assert len(finished.store.children(finished.parent)) == 2


def test_a_wrong_value_is_refused_in_one_line(new_cell, run_job):
    outcome = run_job(*new_cell.overrides, "draws=0")
    assert outcome["status"] == "refused"
    assert "draws must be" in outcome["message"]
    assert "\n" not in outcome["message"]


def test_the_outcome_names_the_cell_without_a_password(new_cell, run_job):
    uri = "postgresql://me:hush@127.0.0.1:1/runs"
    outcome = run_job(
        *(line for line in new_cell.overrides if "tracking.uri" not in line), f"tracking.uri={uri}", "draws=0"
    )
    assert "hush" not in json.dumps(outcome)
    assert "://***@127.0.0.1:1/runs" in outcome["cell"]


def test_a_worker_without_the_sweeps_folder_is_told_to_share_it(run_job):
    with pytest.raises(BadInput, match=r"must share its folder; found no .*launch.json on .*BATCHSCOPE_MLRUNS"):
        run_job("batch_size=10")


def test_a_worker_on_another_host_is_told_that_sqlite_is_no_store_for_it(finished, new_cell, run_job, tmp_path):
    write_launch(tmp_path, finished.parent, new_cell.digest, host="elsewhere")
    outcome = run_job(*new_cell.overrides)
    assert outcome["status"] == "refused"
    assert "must be a server's address where workers run on other hosts; found sqlite" in outcome["message"]
    job._check_host("elsewhere", "http://127.0.0.1:5000")
    job._check_host(socket.gethostname(), "sqlite:///mlruns/mlflow.db")
