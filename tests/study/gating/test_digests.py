"""The digests by which a verdict can be traced."""

import hashlib
from pathlib import Path

from pipeline.study.gate import Gate
from pipeline.study.gating.digests import digests_of
from tests.study.predicted import stages_from, two_models, write


def test_of_files_they_are_their_sha256(stages_of, tmp_path):
    first, second, labels = two_models()
    paths = [
        write(tmp_path / f"{name}.parquet", label=labels, logits=own) for name, own in (("a", first), ("b", second))
    ]
    study = Gate(against=paths[1], margin={"loss": 0.0, "accuracy": 0.0})
    expected = tuple(hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths)
    assert digests_of(study, stages_from(stages_of, paths[0])) == expected


def test_of_models_they_are_those_of_the_weights(stages_of):
    stages = stages_of()
    study = Gate(example_margin={"loss": 0.0, "accuracy": 0.0})
    baseline, candidate = digests_of(study, stages)
    assert baseline == stages.classifier.digest
    assert candidate == study.other(stages)[0].digest != baseline


def _sameness(stages_of, ours, theirs, *, fields=None, **changes):
    stages = stages_from(stages_of, ours, fields=fields)
    study = Gate(against=theirs, margin={"loss": 0.02, "accuracy": 0.01}, **changes)
    return [note for note in study.answer(stages).notes if "nothing to compare" in note]


def test_a_copy_of_the_baseline_is_told_in_one_note_whichever_rows_are_evaluated(stages_of, tmp_path):
    first, _, labels = two_models()
    paths = [write(tmp_path / f"{name}.parquet", label=labels, logits=first) for name in "ab"]
    said = ["Both files have the same content: nothing to compare; check the paths"]
    assert _sameness(stages_of, *paths) == said
    assert _sameness(stages_of, *paths, rows="as_needed", loss_range=1.0) == said


def test_other_files_in_which_every_row_has_the_same_loss_are_told_too(stages_of, tmp_path):
    first, _, labels = two_models()
    ours = write(tmp_path / "a.parquet", label=labels, logits=first)
    theirs = write(tmp_path / "b.parquet", label=labels, logits=first, day=labels)
    assert _sameness(stages_of, ours, theirs) == [
        "Both files give every row the same loss: nothing to compare; check the paths"
    ]


def test_two_columns_of_one_file_are_not_the_same_content_for_having_one_digest(stages_of, tmp_path):
    first, second, labels = two_models()
    both = write(tmp_path / "both.parquet", label=labels, a=first, b=second)
    assert _sameness(stages_of, both, both, fields={"logits": "a"}, against_columns={"logits": "b"}) == []


def test_models_that_differ_in_few_rows_are_not_told_to_be_the_same(stages_of, tmp_path):
    first, _, labels = two_models()
    other = first.copy()
    other[7] += [0.5, 0, 0, 0]
    ours, theirs = (
        write(tmp_path / f"{n}.parquet", label=labels, logits=own) for n, own in (("a", first), ("b", other))
    )
    assert _sameness(stages_of, ours, theirs) == []
