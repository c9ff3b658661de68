"""What guesses how hard a row is; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.proxy.column import Column
from pipeline.proxy.confidence import Confidence
from pipeline.proxy.entropy import Entropy
from pipeline.proxy.second_model import SecondModel

MEMBERS: dict[str, type] = {
    "confidence": Confidence,
    "entropy": Entropy,
    "column": Column,
    "second_model": SecondModel,
}
