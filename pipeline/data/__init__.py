"""Sources of rows, `MEMBERS` by name. To add one: a module here, a YAML file of the same name, an entry below."""

from ..runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "digits": "Digits",
        "mnist": "Mnist",
        "fashion_mnist": "FashionMnist",
        "npz": "Npz",
        "predictions": "Predictions",
        "table": "RowTable",
        "lm_eval": "LmEval",
        "inspect": "Inspect",
    },
)
