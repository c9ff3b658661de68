"""Examples of Hypothesis that are the same every time, in every process."""

from hypothesis import settings
from hypothesis.internal.conjecture import providers

# No time limit, for a machine that is shared.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# One value in twenty is a constant that stands in a module of ours that is loaded. Which are, depends on the tests that
# the process has run before, and so on what the other processes were busy with.
_NONE = providers._local_constants
providers._get_local_constants = lambda: _NONE
