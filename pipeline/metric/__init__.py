"""What is counted of each row; a new metric is one file here, one YAML of the same name, one entry below."""

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.brier import Brier
from pipeline.metric.loss import Loss
from pipeline.metric.squared_error import SquaredError
from pipeline.metric.top_k import TopK

MEMBERS: dict[str, type] = {
    "loss": Loss,
    "accuracy": Accuracy,
    "top_k": TopK,
    "brier": Brier,
    "squared_error": SquaredError,
}
