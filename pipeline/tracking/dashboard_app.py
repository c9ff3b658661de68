"""MLflow's server with another landing page: its plain address opens the runs, not MLflow's start page."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import Any

# The page that the plain address leads to, from its # on. An environment variable, for the server is another process.
LANDING = "BATCHSCOPE_LANDING"
# What the server says of itself at the plain address, in the header SERVER: who started it knows it by that.
TOKEN = "BATCHSCOPE_TOKEN"
SERVER = "x-batchscope-server"
NAME = "batchscope"

_PAGE = """<!doctype html><title>Batchscope</title>
<script>location.replace("/?runs" + (location.hash.length > 2 ? location.hash : {script}))</script>
<noscript><a href="/?runs{page}">The runs</a></noscript>
"""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def create_app() -> Any:
    """Return MLflow's application behind `Landing`; MLflow finds this function by the entry point ``mlflow.app``."""
    from mlflow.server.fastapi_app import app

    page = os.environ.get(LANDING)
    if page:
        app.add_middleware(Landing, page=page, token=os.environ.get(TOKEN, ""))
    return app


def is_installed() -> bool:
    """Return whether MLflow can find `create_app`; an environment that was set up earlier has no such entry point."""
    return bool(metadata.entry_points(group="mlflow.app", name=NAME))


class Landing:
    """Sends the plain address to a page, an address with a page of its own to that page, and hands all else on.

    Parameters
    ----------
    app : callable
        The ASGI application behind.
    page : str
        The page as the part of an address from ``#`` on. A browser does not send that part to the server, so a line of
        script in the browser decides; the address it goes on to has a query, by which the server knows it again.
    token : str
        Sent in the header `SERVER`.
    """

    def __init__(self, app: App, page: str, token: str = "") -> None:
        self._app, self._token = app, token.encode()
        script = json.dumps(page).replace("</", "<\\/")
        self._body = _PAGE.format(page=html.escape(page), script=script).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_plain = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/"
        if not is_plain or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        length = str(len(self._body)).encode()
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", length)]
        headers.append((SERVER.encode(), self._token))
        await send(
            {"type": "http.response.start", "status": 200, "headers": [*headers, (b"cache-control", b"no-store")]}
        )
        await send({"type": "http.response.body", "body": self._body})
