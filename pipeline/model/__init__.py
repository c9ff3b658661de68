"""Where classifiers come from; a new source is one file here, one YAML of the same name, one entry below."""

from pipeline.model.mlp import Mlp
from pipeline.model.npz import Npz

MEMBERS: dict[str, type] = {"mlp": Mlp, "npz": Npz}
