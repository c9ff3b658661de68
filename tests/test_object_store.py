"""Predictions in an object store: the same scores, only what is needed is fetched, and no secret is shown."""

import os
import re
import threading
import urllib.request
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet as pq
from pyarrow.fs import S3FileSystem

from pipeline import engine
from pipeline.data.formats import locations
from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput, Failed
from pipeline.model.given import Given
from pipeline.runtime import memo
from pipeline.scoring.job import Job
from pipeline.study.compare import Compare
from pipeline.study.direction.gradient import Gradient
from tests.evaluation import cached
from tests.study.predicted import stages_from

ROWS, GROUP = 200_000, 10_000


def table(rows, *, seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, 5)).astype(np.float32)
    return pa.table({f"logit_{i}": logits[:, i] for i in range(5)} | {"label": rng.integers(0, 5, rows)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two Parquet files of ten row groups each."""
    path = tmp_path_factory.mktemp("shards") / "shards"
    path.mkdir()
    for i in range(2):
        # Without a dictionary each row group has its full size.
        pq.write_table(table(ROWS // 2, seed=i), path / f"{i}.parquet", row_group_size=GROUP, use_dictionary=False)
    return path


class Store:
    """Moto's S3 on this machine, with a bucket; what is fetched is counted, and can be refused."""

    def __init__(self):
        from moto.server import ThreadedMotoServer

        self.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.server.start()
        self.host = "{}:{}".format(*self.server.get_host_and_port())
        self.options = f"endpoint_override={self.host}&scheme=http&region=us-east-1"
        self._app = self.server._server.app
        self.server._server.app = self.answer
        self.fetched, self.refusals, self._lock = [], 0, threading.Lock()
        login = {"access_key": "anyone", "secret_key": "anything", "region": "us-east-1"}
        self._files = S3FileSystem(endpoint_override=self.host, scheme="http", allow_bucket_creation=True, **login)
        self._files.create_dir("rows")

    def answer(self, environ, start_response):
        part = environ.get("HTTP_RANGE")
        if environ["REQUEST_METHOD"] == "GET" and part:
            first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", part).groups())
            self.fetched.append((environ["PATH_INFO"], last - first + 1))
            with self._lock:
                is_refused = self.refusals > 0
                self.refusals -= is_refused
            if is_refused:
                start_response("403 Forbidden", [("Content-Type", "application/xml")])
                return [b"<Error><Code>AccessDenied</Code><Message>not now</Message></Error>"]
        return self._app(environ, start_response)

    def put(self, key, content):
        with self._files.open_output_stream(f"rows/{key}") as file:
            file.write(content)

    def uri(self, key, *, login=""):
        return f"s3://{login}rows/{key}?{self.options}"

    def need_login(self, is_needed):
        count = b"0" if is_needed else b"inf"
        asked = urllib.request.Request(
            f"http://{self.host}/moto-api/reset-auth", data=count, headers={"Content-Type": "text/plain"}
        )
        # A proxy from the environment could not reach this machine's loopback address.
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked).close()


@pytest.fixture(scope="module")
def running(folder):
    pytest.importorskip("moto.server", reason="needs make setup-extras")
    store = Store()
    for path in folder.iterdir():
        store.put(f"shards/{path.name}", path.read_bytes())
    store.put("shards/_SUCCESS", b"")
    yield store
    store.server.stop()


@pytest.fixture
def store(running, monkeypatch):
    # What the user has set for stores of their own would lead elsewhere.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "ACCESS_KEY_ID": "anyone",
        "SECRET_ACCESS_KEY": "anything",
        "EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    running.fetched.clear()
    running.refusals = 0
    return running


@pytest.fixture
def score_files(tmp_path, monkeypatch):
    """A function from data to the bytes of the score file that an engine leaves."""

    def make(path, part):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(folder))
        monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())
        data = Predictions(path=str(path), memory=0)
        cached(Given().build(data), data.rows("test"), part, Job(data, "test", Given(), None), lambda: None)
        (found,) = (folder / "cache" / "scores").iterdir()
        return {name: (found / name).read_bytes() for name in ("loss", "accuracy")}

    return make


def threads():
    return engine.MEMBERS["threads"]()


@pytest.mark.parametrize(
    "part", [engine.MEMBERS["threads"](), engine.MEMBERS["local"](workers=2)], ids=lambda p: p.name
)
def test_rows_in_a_bucket_have_the_same_scores_as_here(store, folder, score_files, part):
    assert score_files(store.uri("shards"), part) == score_files(folder, threads())


def test_the_endpoint_may_stand_in_the_environment(store, folder, score_files, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{store.host}")
    found = score_files("s3://rows/shards?region=us-east-1", threads())
    assert found == score_files(folder, threads())


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_a_folder_named_by_an_address_has_the_same_scores(folder, score_files, scheme):
    assert score_files(f"{scheme}://{folder}", threads()) == score_files(folder, threads())


def test_a_file_system_that_fsspec_alone_knows_will_do(folder, score_files):
    pytest.importorskip("fsspec")
    # pyarrow knows no "local://". fsspec's "memory://" will not do: all who open a file share one place in it.
    assert score_files(f"local://{folder}", threads()) == score_files(folder, threads())


def test_of_rows_only_their_row_groups_are_fetched(store, folder):
    data = Predictions(path=store.uri("shards"), memory=0)
    population = data.load_split("test")
    store.fetched.clear()
    found = population.take(np.array([170_017, 3, 170_001]))
    sizes = sum(path.stat().st_size for path in folder.iterdir())
    assert sum(size for _, size in store.fetched) < sizes * 2.5 * GROUP / ROWS
    wanted = pq.read_table(folder / "1.parquet")["logit_0"].to_numpy()
    assert found.inputs[[0, 2], 0].tolist() == wanted[[70_017, 70_001]].tolist()


def test_one_batch_of_a_large_file_fetches_little_of_it(store, folder, command, new_mlruns):
    said = command(
        *("data=predictions", f"data.path='{store.uri('shards')}'", "data.memory=0", "study.population=false"),
        *("batch_size=2", "draws=1"),
        mlruns=new_mlruns(),
    )
    assert said.returncode == 0, said.stderr
    sizes = sum(path.stat().st_size for path in folder.iterdir())
    assert 0 < sum(size for _, size in store.fetched) < sizes / 5


def test_what_the_store_refuses_once_is_asked_for_again(store, folder, score_files):
    data = Predictions(path=store.uri("shards"), memory=0)
    data.rows("test")
    store.refusals = 2
    found = {}
    threads().run(Job(data, "test", Given(), None), [0, 1], found.__setitem__)
    assert (sorted(found), store.refusals) == ([0, 1], 0)


def test_what_the_store_refuses_for_good_is_a_failure_and_no_damage(store):
    data = Predictions(path=store.uri("shards"), memory=0)
    data.rows("test")
    store.refusals = 1000
    with pytest.raises(
        Failed, match=r"^1 of 1 shards could not be scored in 3 tries; found OutOfReach: s3://rows/.*ACC"
    ):
        threads().run(Job(data, "test", Given(), None), [3], lambda *_: None)


def test_damage_in_the_store_is_named_and_the_rest_scored(store, folder):
    content = bytearray((folder / "0.parquet").read_bytes())
    at = pq.ParquetFile(folder / "0.parquet").metadata.row_group(4).column(2).data_page_offset
    content[at : at + 200] = b"\xff" * 200
    store.put("damaged.parquet", bytes(content))
    data, found = Predictions(path=store.uri("damaged.parquet"), memory=0), {}
    with pytest.raises(
        BadInput, match=r"^s3://rows/damaged\.parquet must be a whole Parquet file; found in row group 4"
    ):
        threads().run(Job(data, "test", Given(), None), range(10), found.__setitem__)
    assert sorted(found) == [0, 1, 2, 3, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("path", ["rows/nothing.parquet", "rows/nowhere", "nobucket/nothing.parquet"])
def test_what_is_not_in_the_store_is_refused(store, path):
    with pytest.raises(BadInput, match=rf"^data\.path must name a file or a folder .*; found none at s3://{path}"):
        locations.locations_of(f"s3://{path}?{store.options}", (".parquet",))


def test_a_login_that_the_store_refuses_is_refused_without_a_word_of_it(store):
    store.need_login(True)
    try:
        with pytest.raises(
            BadInput, match=r"^data\.path must name a file or a folder that can be read; .*ACCESS_DENIED"
        ) as said:
            locations.locations_of(store.uri("shards", login="NOBODY:SECRET@"), (".parquet",))
    finally:
        store.need_login(False)
    assert not re.search("NOBODY|SECRET", str(said.value))


@pytest.mark.parametrize(
    "uri",
    [
        "s3://NOBODY:SECRET@rows/x.parquet?no_such_option=1",
        "s3://rows/x y?access_key=NOBODY&secret_key=SECRET&scheme=gopher",
        "nosuch://NOBODY:SECRET@rows/x.parquet",
        "s3://NOBODY:SECRET@/",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_secrets(uri):
    with pytest.raises(BadInput, match=r"^data\.path") as said:
        locations.locations_of(uri, (".parquet",))
    assert not re.search("NOBODY|SECRET", str(said.value))
    assert "\n" not in str(said.value)


def test_a_wrong_address_ends_with_status_2_and_one_line(store, command):
    said = command("data=predictions", f"data.path='{store.uri('nothing.parquet', login='NOBODY:SECRET@')}'")
    assert said.returncode == 2
    assert said.stdout == ""
    assert re.fullmatch(r".*data\.path must name .* found none at s3://rows/nothing\.parquet.*\n", said.stderr)


@pytest.mark.slow
def test_a_login_in_the_address_is_in_nothing_that_is_said_or_kept(store, command, tmp_path):
    path = store.uri("shards/0.parquet", login="NOBODY:SECRET@")
    mlruns = tmp_path / "mlruns"
    said = command("data=predictions", f"data.path='{path}'", "draws=10", mlruns=mlruns)
    assert said.returncode == 0, said.stderr
    kept_files = [file for file in mlruns.rglob("*") if file.is_file()]
    found = SimpleNamespace(
        said=(said.stdout + said.stderr).encode(), kept=b"".join(f.read_bytes() for f in kept_files)
    )
    for secret in (b"NOBODY", b"SECRET"):
        assert secret not in found.said
        assert secret not in found.kept


def test_other_predictions_in_a_bucket_are_compared_as_a_file_here(store, folder, stages_of):
    shards = sorted(folder.iterdir())
    stages = stages_from(stages_of, str(shards[0]))
    # The same rows, a little surer of themselves.
    rows = pq.read_table(shards[0])
    surer = {
        name: pc.multiply(column, 1.1) if name != "label" else column
        for name, column in zip(rows.column_names, rows.columns, strict=True)
    }
    other = folder.parent / "surer.parquet"
    pq.write_table(pa.table(surer), other, row_group_size=GROUP)
    store.put("surer.parquet", other.read_bytes())
    here, there = (
        Compare(direction=Gradient(), against=path).answer(stages).metrics
        for path in (str(other), store.uri("surer.parquet"))
    )
    assert here == there
    assert here["loss/difference"] != 0
