"""What every evaluation log obeys, whichever tool wrote it: answers that are given stand in for a file's."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import log_softmax

from pipeline.data.evaluation_log import Logged
from pipeline.data.logs.answers import Answers
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.scoring.rows import score

RNG = np.random.default_rng(11)
LOGITS, LABELS = RNG.normal(-20, 3, (40, 3)), RNG.integers(0, 3, 40)
LOSS = -log_softmax(LOGITS, axis=1)[np.arange(40), LABELS]
CORRECT = LOGITS.argmax(axis=1) == LABELS
SUBJECT = np.array(["law", "art"] * 20)


@dataclass
class GivenLog(Logged):
    """A log with these answers, whatever its file holds."""

    name: str = "given"
    answered: Answers | None = None

    def read(self):
        self.reads = getattr(self, "reads", 0) + 1
        return self.answered


@pytest.fixture
def log(tmp_path):
    """A function from parts of the answers to the log."""

    def make(**parts):
        answers = {"loss": LOSS, "correct": CORRECT, "logits": LOGITS, "labels": LABELS} | parts.pop("answers", {})
        found = Answers(**answers, columns={"subject": SUBJECT}, note="")
        (tmp_path / "log").touch()
        return GivenLog(path=str(tmp_path / "log"), answered=found, **parts)

    return make


def test_rows_are_logits_where_the_logged_accuracy_follows_from_them(log):
    data = log()
    dataset = data.load()
    assert data.layout.gives == "logits"
    np.testing.assert_array_equal(dataset.inputs, LOGITS)
    np.testing.assert_array_equal(dataset.labels, LABELS)
    assert dataset.n_classes == 3


def test_rows_are_the_logged_scores_where_the_accuracy_does_not_follow_from_the_logits(log):
    data = log(answers={"correct": ~CORRECT})
    found = score(Given().build(data), data.load())
    assert data.layout.gives == "scores"
    np.testing.assert_array_equal(found.correct, ~CORRECT)
    np.testing.assert_array_equal(found.loss, LOSS)


@pytest.mark.parametrize(("absent", "metrics"), [("loss", ("accuracy",)), ("correct", ("loss",))])
def test_a_log_with_one_metric_has_no_other(log, absent, metrics):
    data = log(answers={absent: None, "logits": None, "labels": None})
    assert data.layout.metrics == score(Given().build(data), data.load()).metrics == metrics


def test_the_digest_is_that_of_the_scores(log):
    other = LABELS.copy()
    other[0] = (LABELS[0] + 1) % 3
    digests = [
        log().load().digest,
        log(answers={"logits": LOGITS + 1}).load().digest,
        log(answers={"labels": other, "correct": LOGITS.argmax(axis=1) == other}).load().digest,
        log(answers={"correct": ~CORRECT}).load().digest,
    ]
    assert log().load().digest == digests[0]
    assert len(set(digests)) == 4


def test_a_column_of_the_log_makes_groups_and_another_is_refused_with_those_there_are(log):
    assert log(group="subject").load().groups.tolist() == [1, 0] * 20
    with pytest.raises(BadInput, match=r"data\.weight=year must be a column .*; found subject: name one of these"):
        log(weight="year").load()


def test_the_log_is_read_once(log):
    data = log()
    data.load()
    data.load()
    assert data.layout.width == 3
    assert data.reads == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"one_hot": True}, r"data\.one_hot must be false for a log"),
        ({"split": "train"}, r"data\.split must be test for a log, which has no other; found train"),
    ],
)
def test_a_log_has_one_split_and_classes_as_labels(log, fields, says):
    with pytest.raises(BadInput, match=says):
        log(**fields).load()
