"""Downloads against a server on this machine: the next mirror where one fails, and nothing half-written."""

import hashlib
import io
import sys
import threading

import pytest

from pipeline.data import download
from pipeline.data.download import fetch
from pipeline.errors import BadInput

NAME = "rows.gz"
CONTENT = b"\x1f\x8b" + bytes(range(256)) * 2000
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def fetched(cache):
    """A function from mirrors to the file fetched into this test's cache."""

    def run(*mirrors):
        urls = [one if isinstance(one, str) else one.url for one in mirrors]
        return fetch(NAME, md5=MD5, mirrors=urls, folder=cache / "kind", otherwise="put it there")

    return run


def bad_mirrors(mirror, closed_port):
    return {
        "down": closed_port,
        "404": mirror({}),
        "500": mirror({NAME: CONTENT}, status=500),
        "wrong hash": mirror({NAME: CONTENT[:-1] + b"\x01"}),
        "truncated": mirror({NAME: CONTENT}, cut=1000),
        "empty": mirror({NAME: b""}),
    }


REASONS = {
    "down": "no connection",
    "404": "HTTP status 404",
    "500": "HTTP status 500",
    "wrong hash": f"MD5 hash of downloaded file .* expected md5:{MD5} but got",
    "truncated": "broken off",
    "empty": "MD5 hash of downloaded file",
}


@pytest.mark.parametrize("kind", list(REASONS))
def test_the_next_mirror_serves_when_the_first_fails(fetched, mirror, closed_port, kind):
    good = mirror({NAME: CONTENT})
    path = fetched(bad_mirrors(mirror, closed_port)[kind], good)
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == [NAME]
    assert good.asked == [f"/base/{NAME}"]


@pytest.mark.parametrize("kind", list(REASONS))
def test_the_reason_is_said_and_nothing_is_left(fetched, mirror, closed_port, cache, kind):
    with pytest.raises(BadInput, match=f"^{NAME} must come from a mirror; found http.*{REASONS[kind]}.*put it there$"):
        fetched(bad_mirrors(mirror, closed_port)[kind])
    assert not [path for path in (cache / "kind").rglob("*") if path.is_file()]


def test_all_mirrors_failing_names_each_with_its_reason_in_one_line(fetched, mirror, closed_port):
    with pytest.raises(BadInput, match=r"must come from a mirror") as caught:
        fetched(*bad_mirrors(mirror, closed_port).values())
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(f"/{NAME}: ") == len(REASONS)


def test_a_damaged_file_in_the_cache_is_replaced(fetched, mirror, cache):
    (cache / "kind").mkdir(parents=True)
    (cache / "kind" / NAME).write_bytes(CONTENT[:100])
    assert fetched(mirror({NAME: CONTENT})).read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_refused_offline(fetched, closed_port, cache):
    (cache / "kind").mkdir(parents=True)
    (cache / "kind" / NAME).write_bytes(CONTENT[:100])
    with pytest.raises(BadInput, match=r"no connection"):
        fetched(closed_port)


def test_a_file_that_is_there_is_fetched_from_nowhere(fetched, mirror):
    server = mirror({NAME: CONTENT})
    assert fetched(server) == fetched(server)
    assert len(server.asked) == 1


def test_processes_that_start_together_download_once(fetched, mirror):
    server, found = mirror({NAME: CONTENT}), []
    threads = [threading.Thread(target=lambda: found.append(fetched(server))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(server.asked) == 1


def test_a_server_that_labels_gzip_as_an_encoding_does_not_change_the_bytes(fetched, mirror):
    assert fetched(mirror({NAME: CONTENT}, headers={"Content-Encoding": "gzip"})).read_bytes() == CONTENT


def test_a_mirror_that_sends_too_much_is_left(fetched, mirror, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 1000)
    with pytest.raises(BadInput, match=r"more than 1,000 bytes"):
        fetched(mirror({NAME: CONTENT}))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_shows_on_a_terminal_and_nowhere_else(fetched, mirror, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    path = fetched(mirror({NAME: CONTENT}))
    assert f"downloading {NAME}" in terminal.getvalue()
    path.unlink()
    monkeypatch.setattr(sys, "stderr", quiet := io.StringIO())
    fetched(mirror({NAME: CONTENT}))
    assert quiet.getvalue() == ""
    assert capsys.readouterr().out == ""
