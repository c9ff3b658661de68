"""A package is found only when it is complete, and is gone after delivery."""

import json

import numpy as np
import pytest

from pipeline.tracking import outbox
from pipeline.tracking.log import Log

RUN = {"place": "here", "name": "one", "kind": "cell", "status": "FINISHED", "started": 1.0, "parent": None}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    return tmp_path / "undelivered"


def write(key="aa-bb", ended=2.0, log=None):
    return outbox.write(key, RUN | {"key": key, "ended": ended, "cell_digest": "bb"}, log or Log())


def test_nothing_waits_where_nothing_was_written():
    assert outbox.waiting() == []


def test_a_package_that_was_read_back_has_the_same_run_and_files():
    log = Log(metrics={"loss/mean": np.float32(0.5)}, series=[("loss/draw", 1.0, np.int64(3))], texts={"a.txt": "text"})
    written = write(log=log)
    (found,) = outbox.waiting()
    assert found == written
    assert found.run["metrics"] == {"loss/mean": 0.5}
    assert found.run["series"] == [["loss/draw", 1.0, 3]]
    assert (found.artifacts / "a.txt").read_text() == "text"


def test_packages_wait_in_the_order_in_which_their_runs_ended_and_a_key_selects_them():
    for key, ended in (("aa-1", 3.0), ("aa-2", 1.0), ("ab-1", 2.0)):
        write(key, ended)
    assert [package.run["key"] for package in outbox.waiting()] == ["aa-2", "ab-1", "aa-1"]
    assert [package.run["key"] for package in outbox.waiting("aa")] == ["aa-2", "aa-1"]


def test_a_package_that_was_not_written_to_the_end_leaves_nothing(folder):
    class Unreadable:
        def item(self):
            raise ArithmeticError("no number")

    with pytest.raises(ArithmeticError):
        write(log=Log(metrics={"loss/mean": Unreadable()}))
    assert list(folder.iterdir()) == []


def test_a_removed_package_does_not_wait_any_more(folder):
    write().remove()
    assert outbox.waiting() == []
    assert list(folder.iterdir()) == []


def test_links_hidden_folders_and_folders_without_a_run_are_not_packages(folder, tmp_path):
    package = write()
    (folder / "link").symlink_to(package.folder)
    package.folder.rename(folder / f".{package.folder.name}")
    (folder / "empty").mkdir()
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    assert outbox.waiting() == []


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"7",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        pytest.param({"ended": None}, id="no time"),
        pytest.param({"ended": "late"}, id="a time that is none"),
        pytest.param({"key": "../other"}, id="a key that is no file's name"),
        pytest.param({"metrics": []}, id="metrics that are none"),
    ],
)
def test_a_damaged_package_is_left_alone_and_said_once_in_one_line(folder, capsys, content):
    whole, damaged = write("aa"), write("bb")
    path = damaged.folder / "run.json"
    if isinstance(content, dict):
        run = json.loads(path.read_text()) | content
        content = json.dumps(
            {key: value for key, value in run.items() if value is not None or key == "parent"}
        ).encode()
    path.write_bytes(content)
    for _ in range(2):
        assert outbox.waiting() == [whole]
    assert damaged.folder.is_dir()
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert f"the result in {damaged.folder} is damaged and stays there" in said
