"""A log of lm-evaluation-harness as a population."""

import json

import numpy as np
import pytest
from scipy.special import log_softmax

from pipeline.data.lm_eval import LmEval
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.scoring.rows import score


def written(folder, rows):
    path = folder / "samples_arc_easy_2025-06-18T10-04-31.218937.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def row(i, scores, label, **metrics):
    return {
        "doc_id": i,
        "doc": {"question": "Which?", "choices": [f"choice {j}" for j in range(len(scores))], "subject": "ab"[i % 2]},
        "target": str(label),
        "arguments": {},
        "resps": [[[str(s), "False"]] for s in scores],
        "filtered_resps": [[str(s), "False"] for s in scores],
        "filter": "none",
        "metrics": list(metrics),
        **metrics,
    }


@pytest.fixture
def choices():
    rng = np.random.default_rng(5)
    # Some have three choices alone.
    return [(rng.normal(-20, 3, 3 if i % 5 == 0 else 4), int(rng.integers(3))) for i in range(60)]


def test_the_scores_of_multiple_choice_are_those_of_scipy_over_the_choices(tmp_path, choices):
    rows = [row(i, s, y, acc=float(np.argmax(s) == y)) for i, (s, y) in enumerate(choices)]
    data = LmEval(path=written(tmp_path, rows))
    found = score(Given().build(data), data.load())
    np.testing.assert_allclose(found.loss, [-log_softmax(s)[y] for s, y in choices], rtol=1e-12)
    assert found.correct.tolist() == [bool(np.argmax(s) == y) for s, y in choices]
    assert data.layout.gives == "logits"


def test_where_the_metric_is_not_the_largest_likelihood_the_scores_are_taken_as_they_are(tmp_path, choices):
    rows = [row(i, s, y, acc=float(np.argmax(s) == y), acc_norm=float(i % 2)) for i, (s, y) in enumerate(choices)]
    data = LmEval(path=written(tmp_path, rows), metric="acc_norm")
    found = score(Given().build(data), data.load())
    assert data.layout.gives == "scores"
    assert found.correct.tolist() == [bool(i % 2) for i in range(60)]
    np.testing.assert_allclose(found.loss, [-log_softmax(s)[y] for s, y in choices], rtol=1e-12)


def test_the_fields_of_the_documents_make_groups(tmp_path, choices):
    rows = [row(i, s, y, acc=float(np.argmax(s) == y)) for i, (s, y) in enumerate(choices)]
    found = LmEval(path=written(tmp_path, rows), group="doc.subject").load()
    assert found.groups.tolist() == [i % 2 for i in range(60)]
    with pytest.raises(BadInput, match=r"data.group=subject must be a column that every row .* found task, doc_id"):
        LmEval(path=written(tmp_path, rows), group="subject").load()


def test_a_log_has_no_train_split_and_must_be_named(tmp_path, choices):
    rows = [row(i, s, y, acc=float(np.argmax(s) == y)) for i, (s, y) in enumerate(choices)]
    with pytest.raises(BadInput, match=r"data.split must be test for a log"):
        LmEval(path=written(tmp_path, rows), split="train").load()
    with pytest.raises(BadInput, match=r"data.path must name a log of data=lm_eval; found none"):
        LmEval()
