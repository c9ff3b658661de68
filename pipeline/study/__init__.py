"""The questions put to the data; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.study.compare import Compare
from pipeline.study.coverage import Coverage
from pipeline.study.designs import Designs
from pipeline.study.evaluate import Evaluate
from pipeline.study.gradient_noise import GradientNoise
from pipeline.study.landscape import Landscape
from pipeline.study.plan import Plan
from pipeline.study.train import Train
from pipeline.study.until import Until

MEMBERS: dict[str, type] = {
    "evaluate": Evaluate,
    "coverage": Coverage,
    "landscape": Landscape,
    "compare": Compare,
    "gradient_noise": GradientNoise,
    "train": Train,
    "until": Until,
    "plan": Plan,
    "designs": Designs,
}
