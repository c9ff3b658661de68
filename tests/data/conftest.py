"""What the tests of the data family share: small IDX files, and a server on this machine that can misbehave."""

import gzip
import hashlib
import http.server
import socket
import threading
import tracemalloc
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from pipeline.data.formats.idx import header
from pipeline.data.mnist_files import STEMS, KnownHashes, MnistFiles


def idx(array):
    return header(array.shape) + array.tobytes()


@pytest.fixture(scope="session")
def idx_bytes():
    """A function from an array to the bytes of its IDX file."""
    return idx


@pytest.fixture(scope="session")
def small_arrays():
    """Images and labels by stem: 30 rows to train on, 20 to test on, 5×4 pixels."""
    rng = np.random.default_rng(5)
    arrays = {}
    for split, n in (("train", 30), ("test", 20)):
        images, labels = STEMS[split]
        arrays[images] = rng.integers(0, 256, (n, 5, 4), dtype=np.uint8)
        arrays[labels] = rng.integers(0, 10, n, dtype=np.uint8)
    return arrays


@pytest.fixture(scope="session")
def small_files(small_arrays):
    """The gzip files by name, as mirrors serve them."""
    return {f"{stem}.gz": gzip.compress(idx(array), mtime=0) for stem, array in small_arrays.items()}


@pytest.fixture(scope="session")
def small(small_files):
    """A data set of four files that are known by their hashes, as Fashion-MNIST is."""

    @dataclass
    class Small(MnistFiles):
        name: str = "small"
        KNOWN: ClassVar = {
            name.removesuffix(".gz"): KnownHashes(hashlib.md5(content).hexdigest())
            for name, content in small_files.items()
        }

    return Small


@pytest.fixture
def small_root(tmp_path, small_files):
    """A folder with the four gzip files."""
    root = tmp_path / "root"
    root.mkdir()
    for name, content in small_files.items():
        (root / name).write_bytes(content)
    return root


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Keep a proxy of the environment out of the way to this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")


@pytest.fixture
def peak_of():
    """A function that runs another and gives the memory it took at its highest, in bytes (NumPy's and zlib's too)."""

    def run(function):
        tracemalloc.start()
        try:
            function()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return run


@dataclass
class Mirror:
    """A server on this machine: what it serves by path, how it misbehaves, and what it was asked for."""

    url: str
    files: dict
    status: int = 200
    cut: int = 0
    headers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)


@pytest.fixture
def mirror():
    """A function that starts a mirror serving files by name."""
    servers = []

    def start(files, **misbehaviour):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                state.asked.append(self.path)
                content = state.files.get(self.path.rpartition("/")[2])
                if content is None or state.status != 200:
                    self.send_error(404 if content is None else state.status)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                for key, value in state.headers.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content[: len(content) - state.cut])

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        state = Mirror(f"http://127.0.0.1:{server.server_port}/base/", files, **misbehaviour)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        servers.append((server, thread))
        return state

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def closed_port():
    """The address of a mirror that is down."""
    with socket.socket() as held:
        # Bound and not listening: nobody else is given it.
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of this test's own; the folder that holds the kinds."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    return tmp_path / "mlruns" / "cache"
