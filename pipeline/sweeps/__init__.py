"""A sweep: one parent run, one finished child a cell, however often it was stopped and started again."""

from .job import is_running, run_one
from .plugins import mode_from, register
from .request import refuse_long_lists
from .run import run

__all__ = ["is_running", "mode_from", "refuse_long_lists", "register", "run", "run_one"]
