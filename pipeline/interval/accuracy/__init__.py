"""Intervals for the accuracy; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.interval.accuracy.clopper_pearson import ClopperPearson
from pipeline.interval.accuracy.sequence import Sequence
from pipeline.interval.accuracy.wald import Wald
from pipeline.interval.accuracy.wilson import Wilson

MEMBERS: dict[str, type] = {
    "wilson": Wilson,
    "clopper_pearson": ClopperPearson,
    "wald": Wald,
    "sequence": Sequence,
}
