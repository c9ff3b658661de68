"""Intervals for the loss; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.interval.loss.betting import Betting
from pipeline.interval.loss.hall import Hall
from pipeline.interval.loss.sequence import Sequence
from pipeline.interval.loss.t import T

MEMBERS: dict[str, type] = {"hall": Hall, "t": T, "betting": Betting, "sequence": Sequence}
