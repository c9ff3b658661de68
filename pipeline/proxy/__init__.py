"""What guesses how hard a row is; a new one is one file here, one YAML of the same name, one entry below."""

from pipeline.proxy.confidence import Confidence

MEMBERS: dict[str, type] = {"confidence": Confidence}
