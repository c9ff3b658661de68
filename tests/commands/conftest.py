"""What the tests of the commands share: a real sweep of two cells."""

import pytest

from pipeline.tracking.mlflow import Tracking


@pytest.fixture(scope="session")
def swept(request_of, new_mlruns):
    """A sweep of two cells in a store of its own."""
    mlruns = new_mlruns()
    done = request_of("--multirun", "draws=20", "batch_size=7,30", mlruns=mlruns)
    assert done.returncode == 0, done.stderr
    uri = f"sqlite:///{mlruns}/mlflow.db"
    store = Tracking(uri=uri).open()
    return mlruns, uri, store, store.newest_sweep().info.run_id
