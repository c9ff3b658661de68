"""The exceptions whose message, one line, is the whole answer."""


class BadInput(ValueError):
    """The request cannot be carried out as it was put (configuration, data or model); exit status 2.

    The message is one line: what must hold, what was found, what to do.
    """


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
