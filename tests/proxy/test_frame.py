"""What a design may know: the real proxy's guess, made once and only when asked for, and labels of single rows."""

import dataclasses

import numpy as np
import pytest

from pipeline.proxy.base import Proxy
from pipeline.proxy.confidence import Confidence
from pipeline.proxy.frame import frame_of
from pipeline.runtime import memo
from pipeline.sampling.frame import Guess
from pipeline.sampling.units import Units, units_of
from pipeline.scoring.rows import score


class Counted(Proxy):
    """A proxy that counts how often it is asked, and knows each row's number."""

    def __init__(self):
        super().__init__("counted")
        self.calls = 0

    def guess(self, dataset, classifier, *, data):
        self.calls += 1
        number = np.arange(len(dataset), dtype=float)
        return Guess(number, 2 * number, -number)


@pytest.fixture
def framed(digits_parts, monkeypatch):
    """A function from units and a proxy to a frame of the digits; this process has memoised nothing."""
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())
    rows, classifier = digits_parts

    def build(units=None, proxy=None, dataset=rows):
        from pipeline.data.digits import Digits

        return frame_of(dataset, units or units_of(dataset), classifier, proxy=proxy or Confidence(), data=Digits())

    return build


def test_the_guess_is_the_proxys_own(framed, digits_parts):
    rows, classifier = digits_parts
    frame, own = framed(), Confidence().guess(rows, classifier, data=None)
    assert frame.size == len(rows)
    assert frame.is_simple
    for part in ("difficulty", "loss", "accuracy"):
        np.testing.assert_array_equal(getattr(frame.guess(), part), getattr(own, part))


def test_the_proxy_is_asked_once_and_not_before_a_design_wants_it(framed):
    proxy = Counted()
    frame = framed(proxy=proxy)
    assert frame.labels is not None
    assert proxy.calls == 0
    frame.guess()
    frame.guess()
    framed(proxy=proxy).guess()
    assert proxy.calls == 1


def test_rows_of_another_content_or_scale_are_another_guess(framed, digits_parts):
    proxy, rows = Counted(), digits_parts[0]
    for dataset in (rows, dataclasses.replace(rows, digest="another"), dataclasses.replace(rows, scale=0.5)):
        framed(proxy=proxy, dataset=dataset).guess()
    assert proxy.calls == 3


def test_a_groups_guess_is_the_sum_of_its_rows(framed, digits_parts):
    n = len(digits_parts[0])
    units = Units(n, starts=np.array([0, 2, 5, n]))
    guess = framed(units, Counted()).guess()
    assert guess.difficulty.tolist()[:2] == [0 + 1, 2 + 3 + 4]
    assert guess.loss.tolist()[:2] == [2.0, 18.0]
    assert guess.accuracy.sum() == -n * (n - 1) / 2


def test_a_rows_weight_multiplies_its_guess(framed, digits_parts):
    n = len(digits_parts[0])
    frame = framed(Units(n, weights=np.full(n, 3.0)), Counted())
    assert not frame.is_simple
    np.testing.assert_allclose(frame.guess().difficulty, 3.0 * np.arange(n))


def test_labels_are_classes_and_groups_have_none(framed, digits_parts):
    rows, n = digits_parts[0], len(digits_parts[0])
    np.testing.assert_array_equal(framed().labels, rows.labels)
    soft = dataclasses.replace(rows, labels=np.eye(10, dtype=np.float32)[rows.labels])
    np.testing.assert_array_equal(framed(dataset=soft).labels, rows.labels)
    assert framed(Units(n, starts=np.array([0, 2, n]))).labels is None


def test_a_pilot_of_groups_scores_all_their_rows(framed, digits_parts):
    rows, classifier = digits_parts
    frame = framed(Units(len(rows), starts=np.array([0, 2, 5, len(rows)])))
    pilot = frame.score(np.array([1, 0]))
    expected = score(classifier, rows, np.array([2, 3, 4, 0, 1]))
    np.testing.assert_array_equal(pilot.loss, expected.loss)
    np.testing.assert_array_equal(pilot.correct, expected.correct)
