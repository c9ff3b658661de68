"""The laws that every model obeys."""

import dataclasses
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model import MEMBERS
from pipeline.model.base import fits
from pipeline.records.rows import Dataset
from pipeline.runtime import files
from pipeline.scoring.rows import score


@dataclass
class Halves(Data):
    """200 rows of 4 pixels, two classes."""

    name: str = "halves"

    def load_split(self, split):
        pixels = np.random.default_rng(split == "test").integers(0, 256, size=(200, 4), dtype=np.uint8)
        labels = (pixels[:, 0] > 127).astype(np.int64)
        return Dataset(pixels, labels, 2, scale=1 / 255, name=split, digest=files.content_digest(pixels.tobytes()))


# Not a model: it hands on what its data hold, and has tests of its own.
MODELS = [name for name in MEMBERS if name != "given"]
WEIGHTS = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)


def npz(folder):
    np.savez(folder / "w.npz", W1=WEIGHTS, b1=np.zeros(2, np.float32))
    return {"path": str(folder / "w.npz")}


def mlp(folder):
    return {"hidden": [5], "epochs": 3, "min_steps": 0}


def safetensors(folder):
    pytest.importorskip("safetensors.numpy").save_file({"0.weight": WEIGHTS.T.copy()}, folder / "w.safetensors")
    return {"path": str(folder / "w.safetensors")}


def onnx(folder):
    pytest.importorskip("onnxruntime")
    made = pytest.importorskip("onnx")
    node, info = made.helper.make_node("MatMul", ["x", "W"], ["y"]), made.helper.make_tensor_value_info
    inputs, outputs = (info(name, made.TensorProto.FLOAT, ["n", size]) for name, size in (("x", 4), ("y", 2)))
    graph = made.helper.make_graph([node], "g", [inputs], [outputs], [made.numpy_helper.from_array(WEIGHTS, "W")])
    opset = [made.helper.make_opsetid("", 17)]
    made.save(made.helper.make_model(graph, opset_imports=opset, ir_version=10), folder / "w.onnx")
    return {"path": str(folder / "w.onnx")}


def fitted():
    from sklearn.linear_model import LogisticRegression

    train = Halves().load_split("train")
    return LogisticRegression().fit(train.inputs / 255, train.labels)


def sklearn(folder):
    pytest.importorskip("skops.io").dump(fitted(), folder / "w.skops")
    return {"path": str(folder / "w.skops")}


def torch(folder):
    made = pytest.importorskip("torch")
    shapes = ({0: made.export.Dim("n")},)
    program = made.export.export(made.nn.Linear(4, 2), (made.zeros(3, 4),), dynamic_shapes=shapes)
    made.export.save(program, folder / "w.pt2")
    return {"path": str(folder / "w.pt2")}


def mlflow(folder):
    # Before MLflow is imported: no telemetry.
    import pipeline.tracking  # noqa: F401

    with warnings.catch_warnings(action="ignore"):
        import mlflow

        estimator, rows = fitted(), np.zeros((3, 4))
        signature = mlflow.models.infer_signature(rows, estimator.predict_proba(rows))
        mlflow.sklearn.save_model(
            estimator,
            str(folder / "model"),
            signature=signature,
            pyfunc_predict_fn="predict_proba",
            serialization_format="cloudpickle",
            pip_requirements=[],
        )
    return {"path": str(folder / "model"), "trust": True}


@pytest.fixture(scope="module", params=MODELS)
def part(request, tmp_path_factory, own_mlruns):
    """One of every member, ready to be built for `Halves`."""
    assert request.param in globals(), "a new member needs a function of its name here"
    return MEMBERS[request.param](**globals()[request.param](tmp_path_factory.mktemp("weights")))


def test_it_fits_the_data_and_gives_finite_logits_of_their_shape(part):
    dataset = Halves().load()
    classifier = part.build(Halves())
    fits(classifier, dataset)
    logits = classifier.logits(np.multiply(dataset.inputs, np.float32(dataset.scale), dtype=np.float32))
    assert logits.shape == (200, 2)
    assert np.isfinite(logits).all()


def test_inputs_as_stored_give_the_logits_of_scaled_inputs(part):
    dataset, classifier = Halves().load(), part.build(Halves())
    scaled = np.multiply(dataset.inputs, np.float32(dataset.scale), dtype=np.float32)
    np.testing.assert_allclose(
        classifier.from_stored(dataset.scale)(dataset.inputs), classifier.logits(scaled), rtol=1e-4, atol=1e-5
    )


def test_building_it_twice_gives_the_same_digest_and_scores(part):
    dataset = Halves().load()
    first, second = part.build(Halves()), part.build(Halves())
    assert first.digest == second.digest
    assert len(first.digest) == 64
    assert (score(first, dataset).loss == score(second, dataset).loss).all()


def test_data_of_another_width_or_other_classes_are_refused(part):
    dataset, classifier = Halves().load(), part.build(Halves())
    wider = Dataset(np.zeros((3, 9), np.uint8), np.zeros(3, np.int64), 2, scale=1.0, name="wider", digest="")
    with pytest.raises(BadInput, match="must take the data's 9 inputs a row; found a model of 4"):
        fits(classifier, wider)
    more = Dataset(dataset.inputs, dataset.labels, 3, scale=1.0, name="more", digest="")
    with pytest.raises(BadInput, match="must know the data's 3 classes; found a model of 2"):
        fits(classifier, more)


@pytest.mark.parametrize("name", list(MEMBERS))
def test_its_yaml_states_every_field_with_the_parts_own_default(name):
    from pathlib import Path

    import yaml

    path = Path(__file__).resolve().parents[1] / "conf" / "model" / f"{name}.yaml"
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert stated.pop("defaults") == [f"/schema/model/{name}@_here_", "_self_"]
    defaults = {
        field.name: field.default_factory() if callable(field.default_factory) else field.default
        for field in dataclasses.fields(MEMBERS[name])
        if field.name != "name"
    }
    assert stated == defaults
