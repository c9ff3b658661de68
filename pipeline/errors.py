"""The one exception that means: the request was wrong, and its message is the whole answer."""


class BadInput(ValueError):
    """The request cannot be carried out as it was put (configuration, data or model); exit status 2.

    The message is one line: what must hold, what was found, what to do.
    """
