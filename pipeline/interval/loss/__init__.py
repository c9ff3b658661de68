"""Intervals for the loss. A new one is one file here, one YAML file of the same name, and one entry below."""

from ...runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "hall_score": "HallScore",
        "score": "Score",
        "hall": "Hall",
        "t": "T",
        "normal": "Normal",
        "bootstrap_t": "BootstrapT",
        "bca": "Bca",
        "star_bets": "StarBets",
        "betting": "Betting",
        "sequence": "Sequence",
    },
)
