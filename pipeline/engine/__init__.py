"""Engines: where rows are scored. A new one is one file here, one YAML file of the same name, and one entry below."""

from ..runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "threads": "Threads",
        "local": "Local",
        "ray": "Ray",
    },
)
