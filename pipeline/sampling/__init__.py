"""The sampling designs. A new one is one file here, one YAML file of the same name, and one entry below."""

from ..runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "with_replacement": "WithReplacement",
        "without_replacement": "WithoutReplacement",
        "stratified": "Stratified",
        "importance": "Importance",
        "systematic": "Systematic",
        "epoch": "Epoch",
        "difference": "Difference",
        "blocks": "Blocks",
    },
)
