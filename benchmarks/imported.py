"""Everything that commands import on their way, for a process that they are forked from."""

# ruff: noqa: F401

import alembic.command
import filelock
import hydra
import matplotlib.pyplot
import mlflow.store.tracking.sqlalchemy_store
import rich.progress
import rich.table
import scipy.optimize
import scipy.stats
import sklearn.datasets

import pipeline.cell.run
import pipeline.sweeps
from pipeline.config import FAMILIES
from pipeline.plots import SWEEP_PLOTS

PARTS = [part for members in FAMILIES.values() for part in members.values()]
