"""The designs; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.sampling.with_replacement import WithReplacement
from pipeline.sampling.without_replacement import WithoutReplacement

MEMBERS: dict[str, type] = {"with_replacement": WithReplacement, "without_replacement": WithoutReplacement}
