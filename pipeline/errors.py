"""The exceptions whose message, one line, is the whole answer."""

import os


class BadInput(ValueError):
    """The request cannot be carried out as it was put (configuration, data or model); exit status 2.

    The message is one line: what must hold, what was found, what to do.
    """


class Changed(BadInput):
    """What a sweep evaluates (configuration, data, weights, source) is not what it was when the sweep was started."""


def was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an exception: in the middle of a library it may come out as an error of another kind."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


class Failed(RuntimeError):
    """Something failed on the way, through no fault of the request; what was finished is kept; exit status 1.

    The message is one line: what failed, what is kept where, what to do.
    """


def printable(text: str) -> str:
    r"""Return a text with a question mark for each character that may do more on a terminal than be shown.

    A name of a file or in it may hold what moves the cursor or changes the colours.

    Examples
    --------
    >>> printable("W1\n\x1b[2Jb1")
    'W1\n?[2Jb1'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() or c.isspace() else "?" for c in text)


def brief(found: object, *, most: int = 120) -> str:
    r"""Return what was found as a few words that fit into a line, whatever a file has put into it.

    Examples
    --------
    >>> brief("W1\n\x1b[2Jb1")
    'W1 ?[2Jb1'
    >>> brief("1, " * 100, most=12)
    '1, 1, 1, 1 …'
    """
    words = "".join(" " if c.isspace() else c for c in printable(str(found)[: 10 * most])).split()
    line = " ".join(words)
    return line if len(line) <= most else f"{line[: most - 2].rstrip(' ,')} …"


# Set by this program for itself and for the workers that it starts, beside HYDRA_FULL_ERROR, which Hydra needs.
PLAIN = "BATCHSCOPE_PLAIN_ERRORS"
# Read at import: __main__ sets both later on.
WANTS_TRACEBACK = os.environ.get("HYDRA_FULL_ERROR") == "1" and os.environ.get(PLAIN) != "1"
