"""Sample logs of lm-evaluation-harness, written as its EvaluationTracker.save_results_samples writes them."""

import hashlib
import json

import numpy as np
import pytest
from scipy.special import log_softmax

from pipeline.data.logs.lm_eval_log import read
from pipeline.errors import BadInput

DATE = "2025-06-18T10-04-31.218937"


def as_text(value):
    """As the harness's sanitize_list has it: everything within lists and tuples becomes text."""
    return [as_text(item) for item in value] if isinstance(value, list | tuple) else str(value)


def line(doc_id, doc, target, requests, responses, *, filter="none", filtered=None, **metrics):
    digest = hashlib.sha256(str(doc).encode()).hexdigest()
    sample = {
        "doc_id": doc_id,
        "doc": doc,
        "target": str(target),
        "arguments": {f"gen_args_{i}": {f"arg_{j}": a for j, a in enumerate(r)} for i, r in enumerate(requests)},
        "resps": as_text([[response] for response in responses]),
        "filtered_resps": as_text(responses if filtered is None else filtered),
        "filter": filter,
        "metrics": list(metrics),
        "doc_hash": digest,
        "prompt_hash": digest,
        "target_hash": digest,
    }
    return json.dumps(sample | metrics, ensure_ascii=False) + "\n"


def choice(doc_id, scores, label, *, texts=None, target=None, subject="law", **metrics):
    texts = texts or [f"choice {i}" for i in range(len(scores))]
    doc = {"question": "Which?\u2028", "subject": subject, "choices": texts, "answer": label}
    acc = {"acc": float(np.argmax(scores) == label)}
    return line(
        doc_id,
        doc,
        label if target is None else target,
        [("Which?", f" {text}") for text in texts],
        [(score, i == 0) for i, score in enumerate(scores)],
        **acc | metrics,
    )


def generated(doc_id, answer, **exact_match):
    arguments = ("Q?", {"until": ["Q:"], "do_sample": False})
    return [
        line(
            doc_id,
            {"question": f"{answer}?"},
            answer,
            [arguments],
            ["#### 5"],
            filter=name,
            filtered=["5"],
            exact_match=value,
        )
        for name, value in exact_match.items()
    ]


def written(folder, lines, *, task="mmlu_law"):
    folder.mkdir(exist_ok=True)
    path = folder / f"samples_{task}_{DATE}.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def taken(*paths, metric=None, filter=None, **asked):
    return read(list(paths), metric=metric, filter=filter, **asked)


SCORES = [(-1.25, -3.5, -0.75, -9.0), (-1300.5, -1301.0, -1310.0, -1299.0), (-2.0, -2.5, -7.0, -8.0)]
LABELS = [2, 0, 1]


@pytest.fixture
def law(tmp_path):
    return written(tmp_path, [choice(i, scores, LABELS[i]) for i, scores in enumerate(SCORES)])


@pytest.fixture
def gsm8k(tmp_path):
    rows = [generated(i, i, **{"strict-match": 0.0, "flexible-extract": float(i < 2)}) for i in range(3)]
    # One filter after the other, as the harness goes through them.
    return written(tmp_path, [row[0] for row in rows] + [row[1] for row in rows], task="gsm8k")


def test_the_loss_of_multiple_choice_is_the_cross_entropy_that_scipy_gives(law):
    answers = taken(law)
    np.testing.assert_allclose(answers.loss, -log_softmax(SCORES, axis=1)[range(3), LABELS], rtol=1e-12)
    np.testing.assert_array_equal(answers.logits, SCORES)
    assert answers.labels.tolist() == LABELS
    assert answers.correct.tolist() == [True, False, False]
    assert answers.loss.dtype == answers.logits.dtype == np.float64
    assert (answers.correct.dtype, answers.labels.dtype) == (np.bool_, np.int64)


def test_task_document_and_its_fields_are_columns(law):
    columns = taken(law).columns
    assert columns["doc_id"].tolist() == [0, 1, 2]
    assert set(columns["task"]) == {"mmlu_law"}
    assert columns["doc.subject"].tolist() == ["law"] * 3
    assert columns["doc.answer"].tolist() == LABELS
    assert "doc.choices" not in columns


def test_rows_stand_by_document_whatever_the_order_of_the_lines(tmp_path, law):
    lines = law.read_text(encoding="utf-8").split("\n")[:3]
    turned = written(tmp_path / "turned", [f"{row}\n" for row in reversed(lines)])
    np.testing.assert_array_equal(taken(turned).loss, taken(law).loss)


def test_a_row_with_fewer_choices_is_padded_and_keeps_its_loss(tmp_path):
    answers = taken(written(tmp_path, [choice(0, SCORES[0], 2), choice(1, (-1.0, -2.0), 1)]))
    assert answers.logits[1].tolist() == [-1.0, -2.0, -np.inf, -np.inf]
    assert answers.loss[1] == pytest.approx(-log_softmax([-1.0, -2.0])[1])


def test_targets_that_are_texts_of_choices_are_found(tmp_path):
    rows = [choice(i, scores, LABELS[i], target=f"choice {LABELS[i]}") for i, scores in enumerate(SCORES)]
    assert taken(written(tmp_path, rows)).labels.tolist() == LABELS


def test_acc_tells_texts_that_are_digits_from_indices(tmp_path):
    # The choices are 3, 2, 1, 0: the target "1" is the text of choice 2 where acc says that choice 2 is right.
    rows = [choice(i, scores, 2, texts=["3", "2", "1", "0"], target="1") for i, scores in enumerate(SCORES)]
    assert taken(written(tmp_path, rows)).labels.tolist() == [2, 2, 2]


def test_acc_tells_the_right_one_of_two_choices_that_differ_in_the_question(tmp_path):
    rows = [
        line(i, {"sentence": "_ ran", "answer": "2"}, "ran.", [("A", " ran."), ("B", " ran.")], pairs, acc=acc)
        for i, (pairs, acc) in enumerate([([(-1.0, False), (-2.0, False)], 0.0), ([(-3.0, False), (-2.5, True)], 1.0)])
    ]
    answers = taken(written(tmp_path, rows, task="winogrande"))
    assert answers.labels.tolist() == [1, 1]
    np.testing.assert_allclose(answers.loss, [np.log(1 + np.e), np.log(1 + np.exp(-0.5))])


def test_several_right_choices_have_accuracy_and_no_loss(tmp_path):
    answers = taken(written(tmp_path, [choice(0, SCORES[0], 2, target=[0, 2])]))
    assert answers.loss is None
    assert answers.labels is None
    assert answers.correct.tolist() == [True]
    assert "no loss: a target names several choices" in answers.note


def test_choices_scored_without_their_question_are_no_further_choices(tmp_path):
    doubled = (*SCORES[0], -1.0, -1.0, -1.0, 5.0)
    rows = [choice(0, doubled, 2, texts=list("abcdefgh"), acc=1.0, acc_mutual_info=0.0)]
    assert taken(written(tmp_path, rows)).logits.tolist() == [list(SCORES[0])]


def test_acc_that_contradicts_the_target_is_refused_unless_the_loss_is_given_up(tmp_path):
    path = written(tmp_path, [choice(0, SCORES[0], 2), choice(1, SCORES[1], 0, acc=1.0)])
    with pytest.raises(BadInput, match=r"line 2 of .* found acc 1 with choice 3 likeliest and target 0"):
        taken(path)
    answers = taken(path, with_loss=False)
    assert answers.loss is None
    assert answers.correct.tolist() == [True, True]


def test_the_metric_that_is_named_decides_what_is_right(tmp_path):
    path = written(tmp_path, [choice(i, scores, LABELS[i], acc_norm=1.0) for i, scores in enumerate(SCORES)])
    assert taken(path, metric="acc_norm").correct.all()
    assert not taken(path).correct.all()
    with pytest.raises(BadInput, match="metric must be one of task mmlu_law's; found 'f1': choose of acc, acc_norm"):
        taken(path, metric="f1")


def test_generated_answers_of_one_filter_have_accuracy_and_no_loss(gsm8k):
    answers = taken(gsm8k, filter="flexible-extract")
    assert answers.correct.tolist() == [True, True, False]
    assert answers.loss is answers.logits is answers.labels is None
    assert "no loss: task gsm8k is no multiple choice" in answers.note
    assert not taken(gsm8k, filter="strict-match").correct.any()


@pytest.mark.parametrize("asked", [None, "maj@8"])
def test_one_of_several_filters_must_be_chosen(gsm8k, asked):
    with pytest.raises(BadInput, match=f"found {asked!r}: choose of strict-match, flexible-extract"):
        taken(gsm8k, filter=asked)


def test_a_filter_that_no_task_has_is_refused(law):
    with pytest.raises(BadInput, match="filter must be one of the log's; found 'strict': choose of none"):
        taken(law, filter="strict")


def test_a_folder_is_all_its_tasks_by_name(tmp_path, gsm8k):
    model = tmp_path / "model"
    written(model, [choice(0, SCORES[0], 2)], task="mmlu_law")
    written(model, [choice(0, SCORES[1], 0), choice(1, SCORES[2], 1)], task="arc_easy")
    (model / f"results_{DATE}.json").write_text("{}")
    answers = taken(model)
    assert answers.columns["task"].tolist() == ["arc_easy", "arc_easy", "mmlu_law"]
    assert answers.columns["doc_id"].tolist() == [0, 1, 0]
    assert len(answers.loss) == 3
    assert answers.note.startswith(
        "lm-eval: rows: 3; tasks: arc_easy, mmlu_law; correct: acc; filter: none; loss: cross"
    )
    with_generated = taken(tmp_path, filter="strict-match")
    assert set(with_generated.columns["task"]) == {"arc_easy", "gsm8k", "mmlu_law"}
    assert with_generated.loss is None
    assert "correct: acc, exact_match" in with_generated.note


def test_a_task_in_two_files_is_refused(tmp_path, law):
    written(tmp_path / "again", [choice(0, SCORES[0], 2)])
    with pytest.raises(BadInput, match="each task must be logged in one file; found mmlu_law in"):
        taken(tmp_path)


def test_lines_older_than_the_keys_filter_and_metrics_are_read(tmp_path, law):
    lines = []
    for row in law.read_text(encoding="utf-8").split("\n")[:3]:
        old = json.loads(row)
        del old["filter"], old["metrics"]
        old["arguments"] = [list(request.values()) for request in old["arguments"].values()]
        old["filtered_resps"] = [[float(score), greedy == "True"] for score, greedy in old["filtered_resps"]]
        lines.append(json.dumps(old) + "\n")
    old = written(tmp_path / "old", lines)
    np.testing.assert_array_equal(taken(old).loss, taken(law).loss)
    old.write_text("".join([*lines, lines[0]]))
    with pytest.raises(BadInput, match=r"line 4 of .* of line 1: log again with an lm-eval that names filters"):
        taken(old)


def test_the_only_metric_that_is_0_or_1_is_taken_and_several_must_be_chosen(tmp_path):
    rows = [line(i, {}, "", [("", {})], ["text"], strict=i == 0, parts=[True, False]) for i in range(2)]
    assert taken(written(tmp_path, rows, task="ifeval")).correct.tolist() == [True, False]
    rows = [line(0, {}, "", [("", {})], ["text"], strict=True, loose=True)]
    with pytest.raises(BadInput, match="found several that are 0 or 1: strict, loose"):
        taken(written(tmp_path, rows, task="ifeval"))


def test_a_perplexity_is_refused(tmp_path):
    pair = {"word_perplexity": (-120.5, 40), "byte_perplexity": (-120.5, 200), "bits_per_byte": (-120.5, 200)}
    path = written(tmp_path, [line(0, {"page": "text"}, "text", [("text",)], [-120.5], **pair)], task="wikitext")
    with pytest.raises(BadInput, match=r"wikitext must have a metric that is 0 or 1 .* found word_perplexity, byte_"):
        taken(path)
    with pytest.raises(BadInput, match=r"metric word_perplexity must be 0 or 1 in every row; found \[-120.5, 40\]"):
        taken(path, metric="word_perplexity")


def test_a_likelihood_of_one_target_is_no_multiple_choice(tmp_path):
    rows = [line(0, {"text": "a b"}, " b", [("a", " b")], [(-1.5, True)], perplexity=-1.5, acc=1)]
    answers = taken(written(tmp_path, rows, task="lambada"))
    assert answers.correct.tolist() == [True]
    assert answers.loss is None


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda text: "", "must hold a line for each document; found an empty file"),
        (lambda text: text[:-40], r"line 3 of .* found .*, cut off at the file's end: copy or log"),
        (lambda text: text.replace("{", "", 1), r"line 1 of .* must be a JSON object; found \"doc_id\""),
        (lambda text: text + "[1]\n", r"line 4 of .* must be a JSON object; found \[1\]"),
        (lambda text: text.replace('"target"', '"aim"', 1), r"line 1 of .*, without target: name a file"),
        (lambda text: text.replace('"acc": ', '"accuracy": ', 1), r"line 1 of .*, without acc: name a file"),
        (lambda text: text.replace('"acc": 1.0', '"acc": 0.5'), r"acc must be 0 or 1 .* found 0.5 in line 1 of"),
        (
            lambda text: text + text.split("\n")[1] + "\n",
            r"line 4 of .* found doc_id 1, filter none, of line 2: log each",
        ),
        (lambda text: text.replace('"-9.0"', '"nan"'), r"line 1 of .* must have log-likelihoods that are numbers"),
        (lambda text: text.replace('"-9.0"', '"inf"'), r"line 1 of .* must have log-likelihoods that are numbers"),
        (lambda text: text.replace('"doc_id": 0', '"doc_id": [0]'), r"doc_id in line 1 of .* found \[0\]"),
    ],
)
def test_a_damaged_log_is_refused_by_file_and_line(law, change, match):
    law.write_text(change(law.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(BadInput, match=match):
        taken(law)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"found nothing at .*absent: check the path"):
        taken(tmp_path / "absent")
    with pytest.raises(BadInput, match=r"must hold files samples_TASK_DATETIME.jsonl; found none"):
        taken(tmp_path)
    with pytest.raises(BadInput, match="found no path"):
        taken()


def test_fields_that_only_some_documents_have_are_left_out_and_named(tmp_path):
    rows = [choice(0, SCORES[0], 2), choice(1, SCORES[1], 0, subject=7)]
    answers = taken(written(tmp_path, rows))
    assert "doc.subject" not in answers.columns
    assert "left out: doc.subject" in answers.note
