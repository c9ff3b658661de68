"""A frame reads labels only when a design asks for them, and once."""

import numpy as np

from pipeline.sampling.frame import Frame
from pipeline.sampling.stratified import Stratified
from pipeline.sampling.without_replacement import WithoutReplacement


def frame_of(reads, labels):
    def read():
        reads.append(1)
        return labels

    def refuse(*_):
        raise AssertionError("neither a proxy nor a pilot is needed")

    return Frame(size=len(labels), read_labels=read, guess=refuse, score=refuse)


def test_a_design_that_needs_no_labels_reads_none():
    reads = []
    WithoutReplacement().plan(frame_of(reads, np.zeros(10, int)), 4)
    assert reads == []


def test_strata_by_label_read_the_labels_once_for_all_batch_sizes_and_ask_no_proxy():
    reads, labels = [], np.repeat([0, 1], 10)
    frame = frame_of(reads, labels)
    for batch_size in (4, 8):
        plan = Stratified().plan(frame, batch_size)
        assert np.bincount(labels[plan.batch(0, 0).indices]).tolist() == [batch_size // 2, batch_size // 2]
    assert reads == [1]
