"""Where rows come from; a new source is one file here, one YAML of the same name, one entry below."""

from pipeline.data.digits import Digits
from pipeline.data.fashion_mnist import FashionMnist
from pipeline.data.inspect import Inspect
from pipeline.data.lm_eval import LmEval
from pipeline.data.mnist import Mnist
from pipeline.data.npz import Npz
from pipeline.data.predictions import Predictions
from pipeline.data.table import Table

MEMBERS: dict[str, type] = {
    "digits": Digits,
    "mnist": Mnist,
    "fashion_mnist": FashionMnist,
    "npz": Npz,
    "predictions": Predictions,
    "table": Table,
    "lm_eval": LmEval,
    "inspect": Inspect,
}
