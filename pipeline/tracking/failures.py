"""Errors of a store: which of them mean that it is lost, and their cause in one line."""

from __future__ import annotations

import textwrap

from ..runtime.redact import without_secret


def is_lost(error: Exception) -> bool:
    """Return whether the error comes from a store that does not answer or cannot write."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(error, MlflowException | RequestException | SQLAlchemyError)


def reason(error: Exception) -> str:
    """Return the cause of a store's error in one short line without secrets."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        # The innermost error names the cause, such as "database or disk is full".
        error = error.__cause__
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return textwrap.shorten(without_secret(first), 160, placeholder=" …")
