"""Intervals for the accuracy. A new one is one file here, one YAML file of the same name, and one entry below."""

from ...runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "blaker": "Blaker",
        "wilson": "Wilson",
        "clopper_pearson": "ClopperPearson",
        "wald": "Wald",
        "sequence": "Sequence",
    },
)
