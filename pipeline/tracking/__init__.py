"""Tracking: runs, their metrics and their artifacts are logged to MLflow."""

from .failures import is_lost, reason
from .mlflow import Tracking
from .store import Store

__all__ = ["Store", "Tracking", "is_lost", "reason"]
