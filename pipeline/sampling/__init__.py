"""The designs; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.sampling.base import Sampling
from pipeline.sampling.blocks import Blocks
from pipeline.sampling.difference import Difference
from pipeline.sampling.epoch import Epoch
from pipeline.sampling.importance import Importance
from pipeline.sampling.stratified import Stratified
from pipeline.sampling.systematic import Systematic
from pipeline.sampling.with_replacement import WithReplacement
from pipeline.sampling.without_replacement import WithoutReplacement

MEMBERS: dict[str, type[Sampling]] = {
    "with_replacement": WithReplacement,
    "without_replacement": WithoutReplacement,
    "stratified": Stratified,
    "importance": Importance,
    "systematic": Systematic,
    "epoch": Epoch,
    "difference": Difference,
    "blocks": Blocks,
}
