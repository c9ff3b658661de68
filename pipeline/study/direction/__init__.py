"""Where the parameters move to; a new direction is one file here, one YAML of the same name, one entry below."""

from pipeline.study.direction.checkpoint import Checkpoint
from pipeline.study.direction.gradient import Gradient
from pipeline.study.direction.random import Random
from pipeline.study.direction.weight import Weight

MEMBERS: dict[str, type] = {"gradient": Gradient, "random": Random, "weight": Weight, "checkpoint": Checkpoint}
