"""An earlier model's file as a proxy: its rows are found again, by their ids or by their order."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.proxy.scores import Scores

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 40)
EARLIER, NEWER = (2 * RNG.standard_normal((40, 3)) for _ in range(2))
LOSS = -special.log_softmax(EARLIER, axis=1)[np.arange(40), LABELS]
RIGHT = (EARLIER.argmax(axis=1) == LABELS).astype(float)


def frame(logits, **columns):
    return pd.DataFrame({"logits": list(logits), "label": LABELS[: len(logits)], **columns})


@pytest.fixture
def guess(tmp_path):
    """A function from the earlier and the newer file's rows to what the proxy guesses of the newer ones."""

    def of(earlier, newer, **named):
        for name, rows in (("earlier", earlier), ("newer", newer)):
            rows.to_parquet(tmp_path / f"{name}.parquet")
        data = Predictions(path=str(tmp_path / "newer.parquet"), **named)
        return Scores(path=str(tmp_path / "earlier.parquet")).guess(data.rows("test"), Given().built(data), data=data)

    return of


def test_rows_in_the_same_order_get_their_own_losses_and_hits_against_scipy(guess):
    found = guess(frame(EARLIER), frame(NEWER))
    np.testing.assert_allclose(found.loss, LOSS, rtol=1e-6)
    np.testing.assert_array_equal(found.difficulty, found.loss)
    np.testing.assert_array_equal(found.accuracy, RIGHT)


@pytest.mark.parametrize("named", [{}, {"id": "id"}])
def test_rows_are_found_by_their_ids_whatever_their_order_and_type(guess, named):
    order = np.random.default_rng(1).permutation(40)
    earlier = frame(EARLIER, id=np.arange(40)).iloc[order]
    found = guess(earlier, frame(NEWER, id=[str(i) for i in range(40)]), **named)
    np.testing.assert_allclose(found.loss, LOSS, rtol=1e-6)


def test_a_row_without_a_score_gets_what_the_model_itself_expects(guess):
    found = guess(frame(EARLIER, id=np.arange(40)).iloc[5:], frame(NEWER, id=np.arange(40)))
    chances = special.softmax(NEWER, axis=1)
    np.testing.assert_allclose(found.loss[5:], LOSS[5:], rtol=1e-6)
    np.testing.assert_allclose(found.loss[:5], special.entr(chances[:5]).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found.accuracy[:5], chances[:5].max(axis=1), rtol=1e-5)


@pytest.mark.parametrize(("earlier", "known"), [(slice(37, 40), 3), (slice(0, 40), 40)])
def test_it_tells_how_many_rows_it_knows(guess, tmp_path, earlier, known):
    guess(frame(EARLIER, id=np.arange(40)).iloc[earlier], frame(NEWER, id=np.arange(40)))
    data = Predictions(path=str(tmp_path / "newer.parquet"))
    assert Scores(path=str(tmp_path / "earlier.parquet")).known(data.rows("test"), data=data) == known


def test_of_losses_or_hits_alone_the_other_is_made(guess):
    only_losses = guess(pd.DataFrame({"loss": LOSS}), frame(NEWER))
    np.testing.assert_allclose(only_losses.accuracy, np.exp(-LOSS))
    only_hits = guess(pd.DataFrame({"correct": RIGHT == 1}), frame(NEWER))
    np.testing.assert_array_equal(only_hits.loss, 1 - RIGHT)


@pytest.mark.parametrize(
    ("earlier", "newer", "named", "message"),
    [
        (frame(EARLIER[:30]), frame(NEWER), {}, r"each of the 40 rows, in their order; found 30 rows .*with data.id"),
        (frame(EARLIER), frame(NEWER, key=range(40)), {"id": "key"}, r"must have the column data.id=key"),
        (frame(EARLIER, id=[1] * 40), frame(NEWER, id=range(40)), {}, r"id of .* must name each row once; found 1"),
        (frame(EARLIER, id=range(50, 90)), frame(NEWER, id=range(40)), {}, "scores of the same rows; found none"),
        (pd.DataFrame({"loss": [np.inf] * 40}), frame(NEWER), {}, "must hold finite losses; found an infinite one"),
        (pd.DataFrame({"logits": list(EARLIER)}), frame(NEWER), {}, r"proxy.path: data.label=label must be a column"),
    ],
)
def test_other_rows_and_useless_scores_are_refused(guess, earlier, newer, named, message):
    with pytest.raises(BadInput, match=message):
        guess(earlier, newer, **named)


def test_a_path_must_be_given():
    with pytest.raises(BadInput, match=r"proxy.path must name a file of an earlier model's scores; found none"):
        Scores()


@pytest.fixture
def chances(tmp_path):
    """A function from the earlier and the newer file's rows to the chances of the classes of the newer ones."""

    def of(earlier, newer, *, names=None, **fields):
        for name, rows in (("earlier", earlier), ("newer", newer)):
            rows.to_parquet(tmp_path / f"{name}.parquet")
        data = Predictions(path=str(tmp_path / "newer.parquet"), **fields)
        return Scores(path=str(tmp_path / "earlier.parquet")).chances(data, names, 3)

    return of


def test_the_chances_of_classes_are_the_files_own_and_need_no_label(chances):
    own = special.softmax(EARLIER, axis=1)
    np.testing.assert_allclose(chances(pd.DataFrame({"logits": list(EARLIER)}), frame(NEWER)), own, rtol=1e-12)
    np.testing.assert_allclose(chances(pd.DataFrame({"probabilities": list(own)}), frame(NEWER)), own, rtol=1e-12)


def test_a_judges_label_has_the_chance_1_by_number_or_by_name(chances):
    by_number = chances(pd.DataFrame({"prediction": LABELS}), frame(NEWER))
    np.testing.assert_array_equal(by_number, np.eye(3)[LABELS])
    names = ("cat", "dog", "eel")
    said = pd.DataFrame({"prediction": np.array(names, dtype=object)[LABELS]})
    np.testing.assert_array_equal(chances(said, frame(NEWER), names=names), np.eye(3)[LABELS])


@pytest.mark.parametrize("order", [None, np.random.default_rng(2).permutation(40)])
@pytest.mark.parametrize("part", ["left_out", "alone"])
def test_chances_are_those_of_the_rows_of_a_part_by_order_or_by_ids(chances, part, order):
    known = np.arange(40) % 3 == 0
    labels = pd.array(np.where(known, LABELS, 0), dtype="Int64")
    labels[~known] = pd.NA
    newer = pd.DataFrame({"logits": list(NEWER), "label": labels, "id": np.arange(40)})
    fields = {"unlabelled_rows": part, "labelled": part != "alone"}
    own = np.eye(3)[LABELS[known if part == "left_out" else ~known]]
    judge = (
        pd.DataFrame({"prediction": LABELS})
        if order is None
        else pd.DataFrame({"prediction": LABELS[order], "id": order})
    )
    np.testing.assert_array_equal(chances(judge, newer, **fields), own)


@pytest.mark.parametrize(
    ("earlier", "message"),
    [
        (pd.DataFrame({"loss": LOSS}), r"must hold predictions of the 3 classes, .* found scores"),
        (pd.DataFrame({"logits": list(EARLIER[:, :2])}), r"found 2 classes: name another file"),
        (
            pd.DataFrame({"prediction": LABELS[1:], "id": np.arange(1, 40)}),
            r"predictions of every row; found none of 1",
        ),
    ],
)
def test_chances_that_cannot_be_had_are_refused(chances, earlier, message):
    with pytest.raises(BadInput, match=message):
        chances(earlier, frame(NEWER, id=np.arange(40)))
