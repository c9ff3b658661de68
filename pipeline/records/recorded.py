"""Rows whose values an earlier run has left."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordedRows:
    """A run that has a table with the values of each of its rows.

    Attributes
    ----------
    run_id : str
        Which run.
    started : float
        When it was started, in seconds since the epoch.
    population, model : str
        The names of its rows and of its model.
    digest : str
        Of its rows, shortened as MLflow shows it.
    counts_alike : bool
        Whether it had neither groups nor weights.
    """

    run_id: str
    started: float
    population: str
    model: str
    digest: str
    counts_alike: bool
