"""Several other models: which files a list or a pattern names, and what is refused."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.study.compare import Compare
from pipeline.study.direction.random import Random
from pipeline.study.paired.many import are_many, field_of, listed
from tests.evaluation import changed
from tests.study.predicted import stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()


@pytest.fixture
def files(tmp_path):
    """Files of three models, of which the third is the first in another folder."""
    return [
        write(tmp_path / name, label=LABELS, logits=own, kind=np.arange(len(LABELS)) % 3)
        for name, own in (("a.parquet", FIRST), ("b.parquet", SECOND), ("c.parquet", FIRST))
    ]


def test_a_pattern_and_a_list_name_files_once_each(files, tmp_path):
    assert listed(str(tmp_path / "*.parquet")) == files
    assert listed([files[1], str(tmp_path / "[bc].parquet")]) == files[1:]
    assert are_many([files[0]])
    assert are_many("runs/*.npz")
    assert not are_many(files[0])


@pytest.mark.parametrize(
    ("against", "message"),
    [
        (["a.npz", 3], "a list of files; found '3' in it"),
        ("nowhere/*.parquet", "found none for the pattern 'nowhere/"),
        ([f"{i}.npz" for i in range(201)], "1 to 200 models; found 201"),
        (["missing.parquet"], "found no file '.*missing.parquet'"),
    ],
)
def test_other_things_are_refused(against, message):
    with pytest.raises(BadInput, match=message):
        Compare(against=against, direction=Random())


def test_the_field_has_the_baseline_first_and_its_own_file_once(stages_of, files, tmp_path):
    stages = stages_from(stages_of, files[0])
    study = Compare(against=str(tmp_path / "*.parquet"), direction=Random())
    study.check(stages)
    field = field_of(study, stages)
    assert field.names == ("a.parquet", "b.parquet", "c.parquet")
    np.testing.assert_array_equal(field.values["accuracy"][1], SECOND.argmax(axis=1) == LABELS)
    np.testing.assert_array_equal(field.values["loss"][0], field.values["loss"][2])


def test_slices_go_with_one_other_model(stages_of, files, tmp_path):
    study = Compare(against=files[1:], direction=Random())
    stages = stages_from(stages_of, files[0])
    data = type(stages.experiment.data)(path=files[0], by="kind")
    with pytest.raises(BadInput, match=r"data.by must go with one other model"):
        study.check(changed(stages, data=data, study=study))
