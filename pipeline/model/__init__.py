"""Where classifiers come from; a new source is one file here, one YAML of the same name, one entry below."""

from pipeline.model.given import Given
from pipeline.model.mlflow import Mlflow
from pipeline.model.mlp import Mlp
from pipeline.model.npz import Npz
from pipeline.model.onnx import Onnx
from pipeline.model.safetensors import Safetensors
from pipeline.model.sklearn import Sklearn
from pipeline.model.torch import Torch

MEMBERS: dict[str, type] = {
    "given": Given,
    "mlflow": Mlflow,
    "mlp": Mlp,
    "npz": Npz,
    "onnx": Onnx,
    "safetensors": Safetensors,
    "sklearn": Sklearn,
    "torch": Torch,
}
