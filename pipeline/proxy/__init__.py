"""Proxies: guesses of how hard a row is. A new one is one file here, one YAML of the same name, one entry below."""

from ..runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "confidence": "Confidence",
        "entropy": "Entropy",
        "column": "Column",
        "second_model": "SecondModel",
        "scores": "Scores",
    },
)
