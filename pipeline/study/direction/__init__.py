"""Where the parameters move to; a new direction is one file here, one YAML of the same name, one entry below."""

from ...runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "gradient": "Gradient",
        "random": "Random",
        "weight": "Weight",
        "checkpoint": "Checkpoint",
    },
)
