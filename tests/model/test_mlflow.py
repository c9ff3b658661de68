"""Models that MLflow logged into a store made here, against what made them."""

import os
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pipeline import data as data_family
from pipeline.errors import BadInput
from pipeline.model.base import fits
from pipeline.model.mlflow import Mlflow
from pipeline.scoring.rows import score
from tests.tracking import stores

SAID = "must be a model that runs no code of its own"


@pytest.fixture(scope="module")
def digits():
    return data_family.MEMBERS["digits"]()


@pytest.fixture(scope="module")
def estimator(digits):
    train = digits.load_split("train")
    return LogisticRegression(max_iter=300).fit(train.inputs / 16, train.labels)


@pytest.fixture(scope="module")
def store(tmp_path_factory, digits, estimator):
    """A store with one of each: its address, the name of each registered, and the run of one."""
    # Before MLflow is imported: no telemetry.
    import pipeline.tracking  # noqa: F401

    folder = tmp_path_factory.mktemp("store")
    uri = f"sqlite:///{folder}/mlflow.db"
    before = os.environ.get("MLFLOW_TRACKING_URI")
    with warnings.catch_warnings(action="ignore"):
        import mlflow
        from mlflow.models import infer_signature

        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("e", (folder / "artifacts").as_uri()))
        rows = np.zeros((3, 64))
        frame = pd.DataFrame(rows, columns=[f"p{i}" for i in range(64)])
        own, labels = estimator.predict_proba(rows), estimator.predict(rows)
        train = digits.load_split("train")
        by_name = LogisticRegression(max_iter=300).fit(
            pd.DataFrame(train.inputs / 16, columns=frame.columns), train.labels
        )
        signed = {
            "tensor": (infer_signature(rows, own), "predict_proba"),
            "frame": (
                infer_signature(frame, pd.DataFrame(own, columns=[f"prob{i}" for i in range(10)])),
                "predict_proba",
            ),
            "labels": (infer_signature(frame, labels), "predict"),
            "whole": (infer_signature(frame.astype("i8"), own), "predict_proba"),
            "unsigned": (None, "predict_proba"),
        }
        with mlflow.start_run() as run:
            for name, (signature, function) in signed.items():
                mlflow.sklearn.log_model(
                    by_name if name in ("frame", "labels", "whole") else estimator, name=name, signature=signature,
                    pyfunc_predict_fn=function, pip_requirements=[],
                    serialization_format="cloudpickle", registered_model_name=name,
                )  # fmt: skip
            coef, intercept = estimator.coef_.T, estimator.intercept_

            class Logits(mlflow.pyfunc.PythonModel):
                def predict(self, context, model_input: np.ndarray, params=None):
                    return model_input @ coef + intercept

            mlflow.pyfunc.log_model(
                name="logits", python_model=Logits(), signature=infer_signature(rows, rows[:, :10]),
                pip_requirements=[], registered_model_name="logits",
            )  # fmt: skip
        mlflow.MlflowClient().set_registered_model_alias("tensor", "best", 1)
        mlflow.set_tracking_uri(None)
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        if before is not None:
            os.environ["MLFLOW_TRACKING_URI"] = before
    return uri, run.info.run_id


def build(store, name, digits, **fields):
    path = name if "/" in name else f"models:/{name}/1"
    return Mlflow(path=path, tracking_uri=store[0], **({"trust": True} | fields)).build(digits)


@pytest.mark.parametrize("name", ["tensor", "frame", "logits"])
def test_the_figures_are_those_of_what_was_logged(store, digits, estimator, name):
    classifier, dataset = build(store, name, digits), digits.load()
    fits(classifier, dataset)
    assert classifier.gives == ("logits" if name == "logits" else "probabilities")
    own = estimator.predict_log_proba(dataset.inputs / 16)
    scores = score(classifier, dataset)
    np.testing.assert_allclose(scores.loss, -own[np.arange(len(own)), dataset.labels], rtol=1e-5, atol=1e-9)
    assert scores.correct.mean() == estimator.score(dataset.inputs / 16, dataset.labels)


def test_a_forest_of_several_jobs_gives_the_same_outputs_each_time(digits, tmp_path):
    """Its threads would add up the trees in the order in which they end."""
    import mlflow
    from sklearn.ensemble import RandomForestClassifier

    train, folder = digits.load_split("train"), str(tmp_path / "forest")
    forest = RandomForestClassifier(100, min_samples_leaf=3, n_jobs=2, random_state=0).fit(
        train.inputs / 16, train.labels
    )
    with warnings.catch_warnings(action="ignore"):
        mlflow.sklearn.save_model(
            forest, folder, pyfunc_predict_fn="predict_proba", pip_requirements=[], serialization_format="cloudpickle"
        )
    dataset = digits.load()
    scores = score(Mlflow(path=folder, trust=True, gives="probabilities").build(digits), dataset)
    assert scores.correct.mean() == forest.score(dataset.inputs / 16, dataset.labels)


def test_a_label_only_model_has_accuracy_and_no_loss(store, digits, estimator):
    classifier, dataset = build(store, "labels", digits), digits.load()
    assert classifier.gives == "labels"
    scores = score(classifier, dataset)
    assert "loss" not in scores.columns
    assert scores.correct.mean() == estimator.score(dataset.inputs / 16, dataset.labels)


def test_a_version_an_alias_a_run_and_a_folder_are_the_same_model(store, digits):
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=store[0], registry_uri=store[0])
    logged = client.get_logged_model(client.get_model_version("tensor", "1").source.removeprefix("models:/"))
    folder = logged.artifact_location.removeprefix("file://")
    paths = ["models:/tensor/1", "models:/tensor@best", f"runs:/{store[1]}/tensor", folder]
    assert len({build(store, path, digits).digest for path in paths}) == 1
    assert build(store, "frame", digits).digest != build(store, "tensor", digits).digest


def test_without_trust_nothing_of_the_models_own_is_loaded(store, digits, monkeypatch):
    # Whatever the user's environment allows.
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    for name in ("tensor", "logits"):
        refused(store, name, digits, rf"{SAID} .* pass model\.trust=true if you trust whoever logged it", trust=False)


def test_trust_lasts_for_one_load(store, digits, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    build(store, "tensor", digits)
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_an_onnx_model_needs_no_trust_and_one_with_code_beside_it_does(digits, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    import mlflow
    import yaml
    from mlflow.models import infer_signature

    weights = np.random.default_rng(0).normal(size=(64, 10)).astype("f4")
    node, info, kind = onnx.helper.make_node("MatMul", ["x", "W"], ["y"]), onnx.helper.make_tensor_value_info, 1
    graph = onnx.helper.make_graph([node], "g", [info("x", kind, ["n", 64])], [info("y", kind, ["n", 10])],
                                   [onnx.numpy_helper.from_array(weights, "W")])  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=10)
    signature = infer_signature(np.zeros((2, 64), "f4"), np.zeros((2, 10), "f4"))
    with warnings.catch_warnings(action="ignore"):
        mlflow.onnx.save_model(model, str(tmp_path / "m"), signature=signature, pip_requirements=[])
    classifier, inputs = Mlflow(path=str(tmp_path / "m")).build(digits), digits.load().inputs
    assert classifier.gives == "logits"
    np.testing.assert_allclose(classifier.from_stored(1 / 16)(inputs), inputs / 16 @ weights, rtol=1e-4, atol=1e-5)
    described = tmp_path / "m" / "MLmodel"
    tree = yaml.safe_load(described.read_text())
    tree["flavors"]["python_function"]["code"] = "code"
    described.write_text(yaml.safe_dump(tree))
    with pytest.raises(BadInput, match=SAID):
        Mlflow(path=str(tmp_path / "m")).build(digits)


def refused(store, name, digits, match, **fields):
    with pytest.raises(BadInput, match=match) as found:
        build(store, name, digits, **fields)
    assert "\n" not in str(found.value)


def test_without_a_signature_what_it_gives_must_be_said(store, digits, estimator):
    refused(store, "unsigned", digits, r"must have a signature .*; found none: log it with signature=infer_signature")
    dataset = digits.load()
    scores = score(build(store, "unsigned", digits, gives="probabilities"), dataset)
    own = estimator.predict_log_proba(dataset.inputs / 16)
    np.testing.assert_allclose(scores.loss, -own[np.arange(len(own)), dataset.labels], rtol=1e-4, atol=1e-6)


def test_columns_of_whole_numbers_take_stored_pixels_and_refuse_scaled_ones(store, digits, estimator):
    refused(store, "whole", digits, r"takes int64 inputs, so .* whole numbers .* pass data\.normalize=false")
    stored = data_family.MEMBERS["digits"](normalize=False)
    dataset = stored.load()
    own = estimator.predict_log_proba(dataset.inputs.astype("f8"))
    found = score(build(store, "whole", stored), dataset).loss
    np.testing.assert_allclose(found, -own[np.arange(len(own)), dataset.labels], rtol=1e-6, atol=1e-9)


def test_what_is_not_there_is_refused(store, digits, tmp_path):
    refused(store, "models:/absent/1", digits, r"must name a model in MLflow's store; found for models:/absent/1: ")
    refused(store, "models:/tensor/7", digits, r"must name a model in MLflow's store")
    refused(store, "runs:/0123/model", digits, r"must name a model in MLflow's store")
    refused(store, str(tmp_path), digits, r"model\.path must name an MLflow model: .*; found no file MLmodel in")
    (tmp_path / "MLmodel").write_text("flavors: [")
    refused(store, str(tmp_path), digits, r"MLmodel must describe an MLflow model; found: ")
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    refused(store, str(tmp_path), digits, r"must have the python_function flavour; found none")


def test_without_an_address_the_projects_own_store_is_asked_and_none_is_made(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"model\.tracking_uri must name a store .*; found no file .*/mlflow\.db"):
        Mlflow(path="models:/m/1").build(digits)
    with pytest.raises(BadInput, match=r"found no file nowhere\.db"):
        Mlflow(path="models:/m/1", tracking_uri="sqlite:///nowhere.db").build(digits)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_another_version_or_program_is_refused_and_not_changed(digits, tmp_path):
    stores.write_older(tmp_path / "older.db", stores.OLD)
    with stores.changed(tmp_path / "foreign.db") as connection:
        connection.execute("CREATE TABLE customers (a)")
    for kind in ("older", "foreign"):
        path = tmp_path / f"{kind}.db"
        before = path.read_bytes()
        with pytest.raises(BadInput, match=f"must name a store of this MLflow's version; found one that is {kind}"):
            Mlflow(path="models:/m/1", tracking_uri=f"sqlite:///{path}").build(digits)
        assert path.read_bytes() == before
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(BadInput, match=r"must name a store of MLflow; found for .*text\.db"):
        Mlflow(path="models:/m/1", tracking_uri=f"sqlite:///{tmp_path}/text.db").build(digits)


def test_a_folder_leaves_no_store_in_the_current_folder(store, digits, tmp_path, monkeypatch):
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=store[0], registry_uri=store[0])
    logged = client.get_logged_model(client.get_model_version("tensor", "1").source.removeprefix("models:/"))
    folder = shutil.copytree(logged.artifact_location.removeprefix("file://"), tmp_path / "model")
    mlflow.set_tracking_uri(None)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    Mlflow(path=str(folder), trust=True).build(digits)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_nonsense_and_passwords_are_refused_before_the_work_starts():
    with pytest.raises(BadInput, match=r"model\.path must name an MLflow model: .*; found none"):
        Mlflow()
    with pytest.raises(BadInput, match=r"model\.gives must be one of logits, .*; found 'odds'"):
        Mlflow(path="models:/m/1", gives="odds")
    with pytest.raises(BadInput, match=r"must hold no user and password, for it is logged") as found:
        Mlflow(path="models:/m/1", tracking_uri="https://me:hidden@example.org")
    assert "hidden" not in str(found.value)
