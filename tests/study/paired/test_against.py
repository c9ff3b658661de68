"""What studies of two models share: the other model is checked before anything is made of it."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.experiment import Study
from pipeline.model.npz import Npz
from pipeline.study.compare import Compare
from pipeline.study.direction.gradient import Gradient
from pipeline.study.gate import Gate
from pipeline.study.paired.against import Against
from tests.evaluation import changed
from tests.study.predicted import stages_from, two_models, write

MARGIN = {"loss": 0.0, "accuracy": 0.0}
FIRST, SECOND, LABELS = two_models()
STUDIES = {
    "compare": lambda **fields: Compare(direction=Gradient(), **fields),
    "gate": lambda **fields: Gate(margin=MARGIN, **fields),
}


@pytest.fixture(params=STUDIES)
def study(request):
    return STUDIES[request.param]


def test_both_studies_are_of_the_family():
    assert issubclass(Compare, Against)
    assert issubclass(Gate, Against)
    assert issubclass(Against, Study)


def test_a_file_that_is_not_there_and_what_is_no_file_are_refused(study):
    with pytest.raises(BadInput, match=r"study\.against must name the file of a model, .* no file '.*nowhere"):
        study(against="nowhere.npz")
    with pytest.raises(BadInput, match=r"study\.against must be a file or a model; found 7"):
        study(against=7)


def test_options_of_the_other_model_must_go_with_one(study):
    with pytest.raises(BadInput, match=r"study\.against_columns must go with study\.against"):
        study(against_columns={"logits": "x"})


def test_predictions_need_other_predictions(study, stages_of, tmp_path):
    stages = stages_from(stages_of, write(tmp_path / "a.parquet", label=LABELS, logits=FIRST))
    with pytest.raises(BadInput, match=r"must name other predictions of the same rows, for predictions have no \w+"):
        study().pair(stages)


def test_the_pair_is_of_the_two_files_and_the_content_is_the_other_ones(study, stages_of, tmp_path):
    stages = stages_from(stages_of, write(tmp_path / "a.parquet", label=LABELS, logits=FIRST))
    other = study(against=write(tmp_path / "b.parquet", label=LABELS, logits=SECOND))
    assert other.pair(stages).names == ("a.parquet", "b.parquet")
    assert other.called() == "b.parquet"
    same = study(against=write(tmp_path / "c.parquet", label=LABELS, logits=SECOND))
    changed = study(against=write(tmp_path / "d.parquet", label=LABELS, logits=FIRST))
    assert other.content(stages) == same.content(stages) != changed.content(stages)


@pytest.mark.parametrize(
    ("model", "against", "names"),
    [
        ("old.npz", "new.npz", ("old.npz", "new.npz")),
        ("old/w.npz", "new/w.npz", ("old/w.npz", "new/w.npz")),
        (None, "new.npz", ("the model", "new.npz")),
    ],
)
def test_two_models_are_called_by_their_files_and_by_their_folders_where_these_are_called_alike(
    study, stages_of, tmp_path, model, against, names
):
    for name in filter(None, (model, against)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.savez(tmp_path / name, W1=np.eye(64, 10), b1=np.zeros(10))
    stages = stages_of()
    if model is not None:
        stages = changed(stages, model=Npz(path=str(tmp_path / model)))
    assert study(against=str(tmp_path / against)).names_of(stages) == names
