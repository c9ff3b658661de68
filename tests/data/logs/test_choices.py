import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from pipeline.data.logs.choices import Choices, choices_of, cross_entropy, labels_of, padded
from pipeline.errors import BadInput

SCORE = st.floats(-500, 0)


def record(scores, target, texts=None, **more):
    doc = {} if texts is None else {"choices": texts}
    return {"filtered_resps": [[str(score), "False"] for score in scores], "target": target, "doc": doc, **more}


def choices(scores, target, texts=None, *, acc=None, where="line 1", **more):
    metrics = {} if acc is None else {"acc": acc}
    return choices_of(record(scores, target, texts, **more), metrics, where=where)


@pytest.mark.parametrize(
    "pairs",
    [
        "text",
        [],
        [["-1.5", "False"]],
        [["-1.5", "False"], "text"],
        [["-1.5", "False"], ["x", "False"]],
        [["-1", "maybe"], ["-2", "False"]],
    ],
)
def test_a_line_without_two_pairs_of_likelihood_and_flag_is_no_multiple_choice(pairs):
    assert choices_of({"filtered_resps": pairs, "target": "0", "doc": {}}, {}, where="line 1") is None


@pytest.mark.parametrize("scores", [[float("nan"), 0.0], [float("inf"), 0.0], [float("-inf")] * 2])
def test_likelihoods_that_give_no_probabilities_are_refused_by_line(scores):
    with pytest.raises(
        BadInput, match=r"^line 7 must have log-likelihoods that are numbers; found \[.*: evaluate the m"
    ):
        choices(scores, "0", where="line 7")


def test_a_target_is_read_as_an_index_and_as_a_text():
    row = choices([-1.0, -2.0, -3.0], " 2 ", ["2", "1", "0"])
    assert (row.by_index, row.by_text, row.answer) == (2, 0, 0)
    row = choices([-1.0, -2.0], "5", ["no", "yes"])
    assert (row.by_index, row.by_text) == (None, None)


def test_texts_are_those_scored_and_the_documents_where_these_are_all_the_same():
    same = {"gen_args_0": {"arg_1": " end"}, "gen_args_1": {"arg_1": " end"}}
    assert choices([-1.0, -2.0], "yes", ["no", "yes"], arguments=same).by_text == 1
    others = {"gen_args_0": {"arg_1": " yes"}, "gen_args_1": {"arg_1": " no"}}
    assert choices([-1.0, -2.0], "yes", ["no", "yes"], arguments=others).by_text == 0
    assert choices([-1.0, -2.0], "yes", arguments=[["Q", " no"], ["Q", " yes"]]).by_text == 1


def test_scores_without_their_question_are_left_out_where_both_are_logged():
    pairs = record([-1.0, -2.0, -9.0, -8.0], "1")
    assert choices_of(pairs, {"acc_mutual_info": 0.0}, where="").scores == (-1.0, -2.0)
    assert choices_of(pairs, {}, where="").scores == (-1.0, -2.0, -9.0, -8.0)


@given(st.lists(st.tuples(st.lists(SCORE, min_size=3, max_size=3), st.integers(0, 2)), min_size=1, max_size=8))
def test_indices_that_agree_with_acc_are_the_labels(rows):
    made = [choices(scores, str(y), acc=float(np.argmax(scores) == y)) for scores, y in rows]
    assert labels_of(made) == ([y for _, y in rows], "")


def test_of_two_readings_acc_decides():
    texts = ["1", "0"]
    by_text = [choices([-1.0, -2.0], "1", texts, acc=1.0), choices([-1.0, -2.0], "0", texts, acc=0.0)]
    by_index = [choices([-1.0, -2.0], "1", texts, acc=0.0), choices([-1.0, -2.0], "0", texts, acc=1.0)]
    without = [choices([-1.0, -2.0], target, texts) for target in ("1", "0")]
    assert labels_of(by_text) == ([0, 1], "")
    assert labels_of(by_index) == ([1, 0], "")
    assert labels_of(without) == ([], "the targets may be indices or texts of choices")


def test_the_right_one_of_two_choices_follows_from_acc_alone():
    rows = [choices([-1.0, -2.0], "?", acc=1.0), choices([-1.0, -2.0], "?", acc=0.0)]
    assert labels_of(rows) == ([0, 1], "")
    assert labels_of([*rows, choices([-1.0, -2.0, -3.0], "?", acc=0.0)]) == ([], "a target names no choice")
    assert labels_of([choices([-1.0, -2.0], ["a", "b"], acc=1.0)]) == ([], "a target names several choices")
    assert labels_of([choices([-1.0, -2.0], "['a', 'b']", acc=1.0)]) == ([], "a target names several choices")


def test_targets_that_contradict_acc_are_refused_with_the_line():
    rows = [choices([-1.0, -2.0], "0", acc=1.0), choices([-1.0, -2.0], "1", acc=1.0, where="line 2")]
    says = (
        r"^line 2 must have acc 1 where the likeliest choice is the target, .*; found acc 1 with choice 0 .* target 1"
    )
    with pytest.raises(BadInput, match=says):
        labels_of(rows)


@given(st.lists(st.lists(SCORE, min_size=2, max_size=5), min_size=1, max_size=6), st.data())
def test_the_loss_is_that_of_scipy_over_each_rows_own_choices(scores, data):
    rows = [Choices(tuple(each), None, None, None, True, "") for each in scores]
    labels = np.array([data.draw(st.integers(0, len(each) - 1)) for each in scores])
    wanted = [-log_softmax(each)[y] for each, y in zip(scores, labels, strict=True)]
    np.testing.assert_allclose(cross_entropy(padded(rows), labels), wanted, rtol=1e-12, atol=1e-12)
