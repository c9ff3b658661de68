"""What is served to whom, what is never unpickled, which folders are never left, and which secrets never written."""

import ast
import contextlib
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands import dashboard, dashboard_server
from pipeline.commands.export import export
from pipeline.data import download
from pipeline.data.digits import Digits
from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput
from pipeline.model.mlp import Mlp
from pipeline.runtime.redact import without_secret
from pipeline.tracking.log import Log
from pipeline.tracking.mlflow import Tracking
from tests.server import free_port, is_healthy, wait

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "pipeline").rglob("*.py"))
SECRET = "s3cr3t"


# Who is served.


def test_the_dashboard_binds_this_machine_alone_unless_told_otherwise():
    request = dashboard.parse([])
    assert request.host == "127.0.0.1"
    command = dashboard_server.command("sqlite:////x/mlflow.db", request.host, 5000)
    assert command[command.index("--host") + 1] == "127.0.0.1"


def test_another_host_is_served_when_it_is_named_and_a_line_says_what_to_put_in_front(capsys):
    request = dashboard.parse(["host=0.0.0.0", "port=1"])
    command = dashboard_server.command("sqlite:////x/mlflow.db", request.host, 5000)
    assert command[command.index("--host") + 1] == "0.0.0.0"
    with dashboard_server.socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        with pytest.raises(BadInput, match="must be free to serve on"):
            dashboard.serve(dashboard.parse(["host=0.0.0.0", f"port={taken.getsockname()[1]}"]))
    assert "host=0.0.0.0 lets other machines in" in capsys.readouterr().out
    assert "reverse proxy with TLS and a login" in dashboard.exposed("0.0.0.0")


@pytest.mark.parametrize("host", ["", "example.org", "::", "127.0.0.1 --workers 9", "0"])
def test_a_host_that_is_no_address_is_refused(host):
    with pytest.raises(BadInput, match=r"host must be an IPv4 address of this machine, such as 127\.0\.0\.1; found"):
        dashboard.parse([f"host={host}"])


def test_the_servers_command_line_holds_no_address_of_a_database():
    command = dashboard_server.command(f"postgresql://me:{SECRET}@db/runs", "127.0.0.1", 5000)
    assert SECRET not in " ".join(command)


# What is never executed or unpickled.

_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
_CALLS = {"eval", "exec", "compile", "__import__"}
_METHODS = {"read_pickle", "to_pickle", "load_model", "os.system", "os.popen"}
_YAML = {
    f"yaml.{name}" for name in ("load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all")
}


# Outcomes handed over between processes of our own, as the launchers' jobs are; MLflow's loader, which runs no code
# that comes with a model unless model.trust says so (tests/model/test_mlflow.py); the function by which joblib starts
# its workers.
_ALLOWED = {
    "pipeline/engine/ray.py": 1,
    "pipeline/engine/workers.py": 1,
    "pipeline/model/mlflow.py": 1,
    "pipeline/sweeps/plugins/workers.py": 1,
}


def unsafe(source):
    """The lines that load pickles, evaluate text, or go through a shell."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if _imports_pickles(node) or _calls_unsafe(node)]


def _imports_pickles(node):
    names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return bool({name.split(".")[0] for name in names} & _MODULES)


def _calls_unsafe(node):
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    owned = f"{getattr(getattr(node.func, 'value', None), 'id', '')}.{name}"
    switched = [word.value for word in node.keywords if word.arg in ("allow_pickle", "shell")]
    return (
        getattr(node.func, "id", None) in _CALLS
        or bool({name, owned} & (_METHODS | _YAML))
        # Anything but a plain False may be true.
        or any(not isinstance(value, ast.Constant) or value.value is not False for value in switched)
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_evaluated_or_given_to_a_shell(path):
    found = unsafe(path.read_text(encoding="utf-8"))
    assert len(found) <= _ALLOWED.get(path.relative_to(ROOT).as_posix(), 0)


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=allowed)",
        "eval(text)",
        "yaml.load(text)",
        "subprocess.run(line, shell=True)",
        "os.system(line)",
        "pd.read_pickle(path)",
        "__import__(name)",
    ],
)
def test_the_scan_finds_what_it_looks_for(line):
    assert unsafe(f"x = 1\n{line}\n") == [2]
    assert unsafe("np.load(path, allow_pickle=False); re.compile('a'); subprocess.run([line], shell=False)") == []


def test_mlflow_is_told_to_unpickle_nothing():
    from mlflow.environment_variables import MLFLOW_ALLOW_PICKLE_DESERIALIZATION

    assert MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get() is False


def test_an_environment_that_allows_pickles_is_overruled():
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, pipeline.tracking; print(os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'])",
        ],
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "false"


# Which folders are never left.


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "", ".", "a/b", "x\n"])
def test_a_data_sets_name_cannot_lead_out_of_the_cache(name):
    with pytest.raises(BadInput, match=r"data\.name must be letters, digits, - and _ alone"):
        Mnist(name=name)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    return tmp_path / "mlruns" / "cache"


@pytest.fixture
def elsewhere(tmp_path):
    """A file and a folder that nobody may touch; the test fails if one is changed."""
    folder = tmp_path / "elsewhere"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_bytes(b"not yours")
    yield folder
    assert (folder / "file").read_bytes() == b"not yours"
    assert sorted(path.name for path in folder.rglob("*")) == ["file", "inner"]


BRIEF = {"hidden": [2], "epochs": 1, "min_steps": 0}


@pytest.mark.parametrize("target", ["file", "inner", "nowhere"])
def test_a_network_in_the_cache_that_is_a_link_is_replaced_and_not_written_through(own_cache, elsewhere, target):
    Mlp(**BRIEF).build(Digits())
    (kept,) = (own_cache / "models").glob("*.npz")
    kept.unlink()
    kept.symlink_to(elsewhere / target)
    Mlp(**BRIEF).build(Digits())
    assert kept.is_file()
    assert not kept.is_symlink()


def test_a_lock_of_the_cache_that_is_a_link_is_not_followed(own_cache, elsewhere):
    Mlp(**BRIEF).build(Digits())
    (kept,) = (own_cache / "models").glob("*.npz")
    kept.unlink()
    kept.with_suffix(".lock").unlink(missing_ok=True)
    kept.with_suffix(".lock").symlink_to(elsewhere / "file")
    with contextlib.suppress(OSError, BadInput):
        Mlp(**BRIEF).build(Digits())


NAME, CONTENT = "rows.gz", b"the right content"


@pytest.fixture
def serve(monkeypatch):
    """A function from answers by path, (status, headers, content), to the address of a server on this machine."""
    servers = []
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")

    def start(answers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, content = answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for key, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def fetched(address, cache):
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    return download.fetch(NAME, md5=md5, mirrors=[address], folder=cache / "kind", otherwise="put it there")


def test_a_redirect_on_this_machine_is_followed(own_cache, serve):
    good = serve({f"/{NAME}": (200, {}, CONTENT)})
    first = serve({f"/{NAME}": (302, {"Location": f"{good}/{NAME}"}, b"")})
    assert fetched(first, own_cache).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "target", ["http://192.0.2.1/rows.gz", "file:///etc/passwd", "ftp://127.0.0.1/rows.gz", "//192.0.2.1/rows.gz"]
)
def test_a_redirect_to_what_is_not_https_is_refused(own_cache, serve, target):
    address = serve({f"/{NAME}": (302, {"Location": target}, b"")})
    with pytest.raises(
        BadInput, match=rf"sent on to '.*{target.rpartition(':')[2]}', which is not https: put it there"
    ):
        fetched(address, own_cache)
    assert not [path for path in (own_cache / "kind").rglob("*") if path.is_file()]


def test_a_redirect_from_https_to_http_on_this_machine_is_refused(own_cache, serve, monkeypatch):
    import requests

    here = serve({f"/{NAME}": (200, {}, CONTENT)})
    first = serve({f"/{NAME}": (302, {"Location": f"{here}/{NAME}"}, b"")})
    # TLS ends at the mirror as it would behind a proxy; no certificate is at hand that this machine trusts.
    send = requests.Session.get
    monkeypatch.setattr(
        requests.Session,
        "get",
        lambda self, url, **keywords: send(self, url.replace("https://mirror.example", first), **keywords),
    )
    with pytest.raises(BadInput, match=r"sent on to 'http://127\.0\.0\.1:\d+/rows\.gz', which is not https"):
        fetched("https://mirror.example", own_cache)


def test_redirects_without_an_end_are_refused(own_cache, serve):
    address = serve({f"/{NAME}": (302, {"Location": f"/{NAME}"}, b"")})
    with pytest.raises(BadInput, match=r"sent on more than 5 times"):
        fetched(address, own_cache)


@pytest.mark.parametrize("target", ["file", "inner", "nowhere"])
def test_a_file_of_the_cache_that_is_a_link_is_replaced_and_not_written_through(own_cache, elsewhere, serve, target):
    (own_cache / "kind").mkdir(parents=True)
    (own_cache / "kind" / NAME).symlink_to(elsewhere / target)
    path = fetched(serve({f"/{NAME}": (200, {}, CONTENT)}), own_cache)
    assert path.read_bytes() == CONTENT
    assert not path.is_symlink()


def test_a_mirror_with_a_password_is_refused_and_the_password_not_repeated():
    with pytest.raises(BadInput, match=r"data\.mirrors must hold no user or password") as caught:
        Mnist(mirrors=[f"https://me:{SECRET}@example.org/mnist"])
    with pytest.raises(BadInput, match=r"data\.mirrors must be https addresses") as other:
        Mnist(mirrors=[f"http://me:{SECRET}@example.org/mnist"])
    assert SECRET not in f"{caught.value} {other.value}"


@pytest.fixture(scope="module")
def store(tmp_path_factory, own_mlruns):
    """A store whose experiment and run are named so as to lead elsewhere."""
    folder = tmp_path_factory.mktemp("security") / "inner" / "mlruns"
    opened = Tracking(uri=f"sqlite:///{folder}/mlflow.db", experiment="../../x").open()
    run = opened.start("../../y", kind="sweep")
    opened.log(run, Log(texts={"note.txt": "a note"}))
    opened.end(run, "FINISHED")
    (folder.parent.parent / "private.txt").write_text(SECRET)
    return opened, run, folder


def test_an_experiment_or_run_with_dots_in_its_name_stays_in_the_stores_folder(store):
    opened, run, folder = store
    assert opened.read_file(run, "note.txt") == b"a note"
    assert sorted(path.name for path in folder.parent.parent.iterdir()) == ["inner", "private.txt"]
    assert [path.name for path in folder.parent.iterdir()] == ["mlruns"]


@pytest.mark.parametrize(
    "name",
    [
        "../../../../../private.txt",
        "%2e%2e/../../../../private.txt",
        "{top}/private.txt",
        "a/../../../../../private.txt",
    ],
)
def test_an_artifacts_name_cannot_lead_out_of_its_run(store, name):
    from mlflow.exceptions import MlflowException

    opened, run, folder = store
    with pytest.raises((MlflowException, BadInput)):
        opened.read_file(run, name.format(top=folder.parent.parent))


def test_an_artifact_that_is_a_link_is_neither_read_nor_packed(store, tmp_path):
    from mlflow.exceptions import MlflowException

    opened, run, folder = store
    link = folder / "artifacts" / run / "artifacts" / "linked.txt"
    link.symlink_to(folder.parent.parent / "private.txt")
    try:
        with pytest.raises((MlflowException, BadInput)):
            opened.read_file(run, "linked.txt")
        with contextlib.suppress(MlflowException, BadInput):
            export(opened, opened.run(run), tmp_path / "sweep.zip")
        content = [zipfile.ZipFile(path).namelist() for path in tmp_path.glob("*.zip")]
        assert not any("linked.txt" in names for names in content)
    finally:
        link.unlink()


def test_an_archives_members_stay_below_the_folder_that_it_is_unpacked_in(store, tmp_path):
    opened, run, _ = store
    packed = export(opened, opened.run(run), tmp_path / "sweep.zip")
    with zipfile.ZipFile(packed.path) as archive:
        assert len(archive.namelist()) == packed.n_files >= 1
        assert not [name for name in archive.namelist() if name.startswith("/") or ".." in name.split("/")]


# Which secrets are never written.

URIS = [
    f"postgresql://me:{SECRET}@db.example/runs",
    f"https://me:{SECRET}@mlflow.example",
    f"postgresql://me:{SECRET}/{SECRET}@db.example/runs",
    f"https://me:{SECRET}@{SECRET}@mlflow.example",
    f"postgresql://db.example/runs?user=me&password={SECRET}",
    f"mysql+pymysql://db.example/runs?ssl=1&Password={SECRET}&charset=utf8",
    f"https://mlflow.example/?access_token={SECRET}",
    f"found {{'uri': 'postgresql://me:{SECRET}@db.example/runs'}} in a message",
]


@pytest.mark.parametrize("uri", URIS)
def test_an_address_is_shown_without_its_secrets(uri):
    assert SECRET not in without_secret(uri)
    assert ".example" in without_secret(uri)


def written(folder):
    """The files under a folder that hold the secret."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_store_that_cannot_be_reached_leaves_its_password_neither_on_the_terminal_nor_in_a_file(command, tmp_path):
    (tmp_path / "mlruns").mkdir()
    address = f"tracking.uri=http://me:{SECRET}@127.0.0.1:1"
    limits = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}
    done = command("draws=5", address, mlruns=tmp_path / "mlruns", cwd=tmp_path, **limits)
    assert done.returncode in (1, 2), done.stderr
    assert "127.0.0.1:1" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert written(tmp_path) == []


@pytest.fixture
def server(tmp_path):
    """A real tracking server, which takes any user and password; its address without http://."""
    port = free_port()
    (tmp_path / "server").mkdir()
    uri = f"sqlite:///{tmp_path}/server/mlflow.db"
    Tracking(uri=uri).open()
    environment = {**os.environ, "MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (
        (tmp_path / "server.log").open("wb") as log,
        subprocess.Popen(
            dashboard_server.command(uri, "127.0.0.1", port), env=environment, cwd=tmp_path, stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait(lambda: is_healthy(f"http://127.0.0.1:{port}"), process, tmp_path / "server.log")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.mark.slow
def test_a_sweep_into_a_server_writes_its_password_nowhere(command, server, tmp_path):
    (tmp_path / "mlruns").mkdir()
    address = f"tracking.uri=http://me:{SECRET}@{server}"
    said = []
    np.savez(tmp_path / "few.npz", x=np.zeros((3, 64)), t=[0, 1, 2])
    for arguments, status in (
        (["--multirun", "batch_size=10,20"], 0),
        (["batch_size=10"], 0),
        (["--multirun", "batch_size=10,5000", "sampling=without_replacement"], 2),
        (["--multirun", "data=npz", f"data.path={tmp_path}/few.npz", "batch_size=1"], 2),
        (["batch_size=no"], 2),
    ):
        done = command(*arguments, "draws=5", address, mlruns=tmp_path / "mlruns", cwd=tmp_path)
        assert done.returncode == status, done.stderr
        said.append(done.stdout + done.stderr)
    assert len(list((tmp_path / "mlruns").rglob("sweeps/*"))) == 1
    assert len(list((tmp_path / "server").rglob("config.yaml"))) == 3
    assert written(tmp_path) == []
    assert not [text for text in said if SECRET in text]
