"""Where the rows are scored; a new place is one file here, one YAML of the same name, one entry below."""

from pipeline.engine.local import Local
from pipeline.engine.ray import Ray
from pipeline.engine.threads import Threads

MEMBERS: dict[str, type] = {"threads": Threads, "local": Local, "ray": Ray}
