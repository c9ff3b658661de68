"""Models: where classifiers come from. A new one is one file here, one YAML of the same name, and one entry below."""

from ..runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "given": "Given",
        "mlflow": "Mlflow",
        "mlp": "Mlp",
        "npz": "Npz",
        "onnx": "Onnx",
        "safetensors": "Safetensors",
        "sklearn": "Sklearn",
        "torch": "Torch",
    },
)
