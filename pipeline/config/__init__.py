"""The configuration: the schema, the families of parts, and what is said of a wrong request."""

from .families import FAMILIES
from .foreign import checked
from .messages import in_words, is_plain, is_request_error, one_line, or_exit, quoted
from .schema import CONF, composed, load, register, to_experiment

__all__ = [
    "CONF",
    "FAMILIES",
    "checked",
    "composed",
    "in_words",
    "is_plain",
    "is_request_error",
    "load",
    "one_line",
    "or_exit",
    "quoted",
    "register",
    "to_experiment",
]
