"""Intervals for the loss; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.interval.loss.bca import Bca
from pipeline.interval.loss.betting import Betting
from pipeline.interval.loss.bootstrap_t import BootstrapT
from pipeline.interval.loss.hall import Hall
from pipeline.interval.loss.normal import Normal
from pipeline.interval.loss.sequence import Sequence
from pipeline.interval.loss.t import T

MEMBERS: dict[str, type] = {
    "hall": Hall,
    "t": T,
    "normal": Normal,
    "bootstrap_t": BootstrapT,
    "bca": Bca,
    "betting": Betting,
    "sequence": Sequence,
}
