"""The design, the basis and the variants of a plan."""
