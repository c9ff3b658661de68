"""The engine of threads loads its job once, and scores every shard that can be scored."""

import os
import threading

from pipeline import engine
from pipeline.scoring.job import Job
from tests.engine.parts import Made


def test_the_job_is_loaded_once_for_all_threads_and_in_this_process(model, marks, monkeypatch):
    loads, data = [], Made(folder=marks, shards=8, rows_each=50)
    load_split = Made.load_split

    def counted(self, split):
        loads.append((os.getpid(), threading.current_thread() is threading.main_thread()))
        return load_split(self, split)

    monkeypatch.setattr(Made, "load_split", counted)
    found = {}
    engine.MEMBERS["threads"]().run(Job(data, "test", model, None), range(8), found.__setitem__)
    assert sorted(found) == list(range(8))
    assert loads == [(os.getpid(), True)]


def test_only_the_shards_that_are_asked_for_are_scored(model, marks):
    data, found = Made(folder=marks, rows_each=50), {}
    engine.MEMBERS["threads"]().run(Job(data, "test", model, None), [4, 1], found.__setitem__)
    assert sorted(found) == [1, 4]
    assert sorted(data.begun()) == [1, 4]
    assert {len(scores) for scores in found.values()} == {50}
