"""The questions put to the data; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.study.evaluate import Evaluate

MEMBERS: dict[str, type] = {"evaluate": Evaluate}
