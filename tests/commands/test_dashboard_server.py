"""The dashboard's server: which port it takes, and how it is known from another that has taken it meanwhile."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import tempfile
import threading

import pytest

from pipeline.commands import dashboard_server
from pipeline.commands.dashboard_server import Server
from pipeline.errors import BadInput


def test_next_port_is_used_when_the_default_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        first.listen()
        monkeypatch.setattr(dashboard_server, "PORT", first.getsockname()[1])
        assert dashboard_server.free_port(None) > dashboard_server.PORT


def test_a_port_that_browsers_refuse_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    class Taken:
        def __enter__(self) -> Taken:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def setsockopt(self, *_: object) -> None:
            pass

        def bind(self, address: tuple[str, int]) -> None:
            tried.append(address[1])
            raise OSError

    monkeypatch.setattr(dashboard_server.socket, "socket", Taken)
    with pytest.raises(BadInput, match="a port from 5000 to 5099 must be free"):
        dashboard_server.free_port(None)
    assert (tried[0], tried[-1], len(tried)) == (5000, 5099, 98)
    assert not {5060, 5061} & set(tried)


def test_a_port_that_was_lost_is_not_chosen_again() -> None:
    first = dashboard_server.free_port(None)
    assert dashboard_server.free_port(None, after=first) > first


@pytest.mark.process
def test_another_server_at_the_port_is_not_taken_for_the_own_one() -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("x-batchscope-server", "another token")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    ends = "import time, sys; time.sleep(0.5); print('[Errno 98] address already in use'); sys.exit(1)"
    with (
        http.server.HTTPServer(("127.0.0.1", 0), Other) as other,
        tempfile.TemporaryFile() as log,
        subprocess.Popen([sys.executable, "-c", ends], stdout=log) as process,
    ):
        threading.Thread(target=other.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{other.server_port}"
        assert not Server(process, address, log, "a token").answers()
        own = Server(process, address, log, "a token")
        assert own.found_port_taken()
        assert own.last_line() == "[Errno 98] address already in use"
        with subprocess.Popen(["sleep", "60"]) as alive:
            assert Server(alive, address, log, "another token").answers()
            alive.kill()
        other.shutdown()
