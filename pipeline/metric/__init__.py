"""What is evaluated of each row; a new metric is one file here, one YAML of the same name, one entry below."""

from .accuracy import Accuracy
from .base import Metric
from .brier import Brier
from .loss import Loss
from .squared_error import SquaredError
from .top_k import TopK
from .value import Value

MEMBERS: dict[str, type[Metric]] = {
    "loss": Loss,
    "accuracy": Accuracy,
    "top_k": TopK,
    "brier": Brier,
    "squared_error": SquaredError,
    "value": Value,
}
