"""scikit-learn's classifiers through skops, against their own predict_proba."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from pipeline import data as data_family
from pipeline.data.table import RowTable
from pipeline.errors import BadInput
from pipeline.model.base import fits
from pipeline.model.sklearn import Sklearn
from pipeline.scoring.rows import score

sio = pytest.importorskip("skops.io")


@pytest.fixture(scope="module")
def digits():
    return data_family.MEMBERS["digits"]()


@pytest.fixture(scope="module")
def train(digits):
    rows = digits.load_split("train")
    return rows.inputs / 16, rows.labels


def saved(folder, estimator):
    path = folder / "model.skops"
    sio.dump(estimator, path)
    return path


def build(path, digits, **fields):
    return Sklearn(path=str(path), **fields).build(digits)


# Skops takes no tree for harmless: its arrays say where to go next.
TRUSTED = ["sklearn.tree._tree.Tree"]
ESTIMATORS = {
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.01)),
    "forest": lambda: RandomForestClassifier(20, max_depth=6, random_state=0, n_jobs=2),
}


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_its_figures_are_scikit_learns_own(tmp_path, digits, train, name):
    estimator = ESTIMATORS[name]().fit(*train)
    classifier, dataset = build(saved(tmp_path, estimator), digits, trusted=TRUSTED), digits.load()
    fits(classifier, dataset)
    own = estimator.predict_proba(dataset.inputs / 16)
    assert classifier.gives == "probabilities"
    np.testing.assert_allclose(classifier.from_stored(1 / 16)(dataset.inputs), own, rtol=1e-12)
    scores = score(classifier, dataset)
    truth = own[np.arange(len(own)), dataset.labels]
    np.testing.assert_allclose(scores.loss[truth > 0], -np.log(truth[truth > 0]), rtol=1e-9)
    assert np.isinf(scores.loss[truth == 0]).all()
    assert scores.correct.mean() == accuracy_score(dataset.labels, estimator.predict(dataset.inputs / 16))
    if (truth > 0).all():
        assert scores.loss.mean() == pytest.approx(log_loss(dataset.labels, own), rel=1e-9)


def test_an_estimator_of_decision_values_alone_has_accuracy_and_no_loss(tmp_path, digits, train):
    estimator = LinearSVC(random_state=0).fit(*train)
    classifier, dataset = build(saved(tmp_path, estimator), digits), digits.load()
    assert classifier.gives == "labels"
    scores = score(classifier, dataset)
    assert "loss" not in scores.columns
    assert scores.correct.mean() == estimator.score(dataset.inputs / 16, dataset.labels)


def test_one_that_was_fitted_to_named_columns_gives_the_same_without_a_warning(tmp_path, digits, train):
    import pandas as pd

    frame = pd.DataFrame(train[0], columns=[f"pixel{i}" for i in range(64)])
    named = build(saved(tmp_path, LogisticRegression(max_iter=1000).fit(frame, train[1])), digits)
    plain = build(saved(tmp_path, LogisticRegression(max_iter=1000).fit(*train)), digits)
    inputs = digits.load().inputs
    np.testing.assert_allclose(named.from_stored(1 / 16)(inputs), plain.from_stored(1 / 16)(inputs), rtol=1e-9)
    assert named.digest != plain.digest


def refused(path, digits, match, **fields):
    with pytest.raises(BadInput, match=match) as found:
        build(path, digits, **fields)
    assert "\n" not in str(found.value)


def test_classes_that_are_not_those_of_the_data_are_refused(tmp_path, digits, train):
    some = train[1] != 4
    path = saved(tmp_path, LogisticRegression(max_iter=1000).fit(train[0][some], train[1][some]))
    refused(path, digits, r"must know every class, 0 to 9; found none of \[4\] among its classes \[0, 1, 2, 3, 5")
    path = saved(tmp_path, LogisticRegression(max_iter=1000).fit(train[0], train[1].astype(str).astype("<U4") + "x"))
    refused(path, digits, "must have the classes 0 to 9 as integers")


def halved(inputs):
    return inputs / 2


def test_a_type_that_is_not_trusted_is_refused_by_name_and_taken_when_trusted(tmp_path, digits, train):
    estimator = make_pipeline(FunctionTransformer(halved), LogisticRegression(max_iter=1000)).fit(*train)
    path = saved(tmp_path, estimator)
    name = f"{halved.__module__}.halved"
    assert sio.get_untrusted_types(file=path) == [name]
    refused(path, digits, rf"must hold known types, or those in model\.trusted; found {name}: add")
    classifier = build(path, digits, trusted=[name])
    own = estimator.predict_proba(digits.load().inputs / 16)
    np.testing.assert_allclose(classifier.from_stored(1 / 16)(digits.load().inputs), own, rtol=1e-12)


def test_what_is_no_classifier_is_refused(tmp_path, digits, train):
    refused(saved(tmp_path, StandardScaler().fit(train[0])), digits, "must hold a classifier; found StandardScaler")
    refused(saved(tmp_path, Ridge().fit(*train)), digits, "without classes: save a fitted")
    refused(saved(tmp_path, LogisticRegression()), digits, r"must have the classes 0 to 9 as integers; found None")


def test_a_model_of_another_width_is_told_as_of_any_model(tmp_path, digits, train):
    classifier = build(saved(tmp_path, LogisticRegression(max_iter=1000).fit(train[0][:, :9], train[1])), digits)
    with pytest.raises(BadInput, match="must take the data's 64 inputs a row; found a model of 9"):
        fits(classifier, digits.load())


def test_missing_and_damaged_files_are_refused(tmp_path, digits, train):
    refused(tmp_path / "absent.skops", digits, r"model\.path must name a \.skops file; found no file")
    content = saved(tmp_path, LogisticRegression(max_iter=1000).fit(*train)).read_bytes()
    for part in (b"", b"no zip", content[: len(content) // 2]):
        (tmp_path / "bad.skops").write_bytes(part)
        refused(tmp_path / "bad.skops", digits, r"must be a whole \.skops file; found: ")


def test_without_the_library_the_error_names_the_extra(tmp_path, digits, train, monkeypatch):
    path = saved(tmp_path, LogisticRegression(max_iter=1000).fit(*train))
    monkeypatch.setitem(sys.modules, "skops", None)
    refused(path, digits, r"needs skops; found none: make setup-extras")


NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])


@pytest.fixture
def named(tmp_path, digits):
    """The test digits as a table with labels of text."""
    rows = digits.load()
    table = pd.DataFrame(rows.inputs / 16, columns=[f"x_{i}" for i in range(rows.width)])
    table.assign(label=NAMES[rows.labels]).to_parquet(tmp_path / "rows.parquet")
    return lambda **fields: RowTable(path=str(tmp_path / "rows.parquet"), **fields)


@pytest.mark.parametrize("classes", [None, NAMES.tolist()], ids=["sorted", "given"])
@pytest.mark.parametrize("estimator", [LogisticRegression(C=0.1), LinearSVC(C=0.01)], ids=["probabilities", "labels"])
def test_classes_of_text_are_matched_by_name(tmp_path, train, named, estimator, classes):
    fitted = estimator.fit(train[0], NAMES[train[1]])
    data = named(classes=classes)
    classifier, rows = build(saved(tmp_path, fitted), data), data.load()
    fits(classifier, rows)
    truth, inputs = np.array(rows.class_names)[rows.labels], rows.inputs.astype(np.float64)
    scores = score(classifier, rows)
    assert scores.correct.mean() == accuracy_score(truth, fitted.predict(inputs))
    if classifier.gives == "probabilities":
        own = log_loss(truth, fitted.predict_proba(inputs), labels=fitted.classes_)
        assert scores.loss.mean() == pytest.approx(own, rel=1e-9)


def test_a_class_that_one_side_does_not_name_is_refused(tmp_path, train, named):
    path = saved(tmp_path, LogisticRegression(C=0.1).fit(train[0], np.where(train[1] == 9, "ten", NAMES[train[1]])))
    with pytest.raises(
        BadInput, match=r"found none of nine and ten, which the data do not have among its classes .*: nam"
    ):
        build(path, named())


def test_a_model_fitted_to_numbers_takes_named_classes_in_their_order(tmp_path, train, named):
    fitted = LogisticRegression(C=0.1).fit(*train)
    data = named(classes=NAMES.tolist())
    rows = data.load()
    correct = score(build(saved(tmp_path, fitted), data), rows).correct
    assert correct.mean() == accuracy_score(rows.labels, fitted.predict(rows.inputs.astype(np.float64)))
