"""Files of predictions of two models on the same rows, and settings made of them."""

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from pipeline import data as data_family
from pipeline.model.given import Given
from tests.evaluation import changed

ROWS = 1200


def two_models(seed=0):
    """Logits of two models that are right about as often, and the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, ROWS)
    shared = rng.normal(0, 1, (ROWS, 4))
    shared[np.arange(ROWS), labels] += 1.5
    first, second = (shared + rng.normal(0, 0.3, shared.shape) for _ in range(2))
    second[np.arange(ROWS), labels] += 0.2
    return first, second, labels


def write(path, **columns):
    """Write a table in row groups of 500; two-dimensional columns as lists."""
    table = {name: pa.array(list(c) if np.ndim(c) == 2 else c) for name, c in columns.items()}
    pq.write_table(pa.table(table), path, row_group_size=500)
    return str(path)


def stages_from(stages_of, path, *, fields=None, **changes):
    """A stages on a file of predictions; `fields` are the data's."""
    data = data_family.MEMBERS["predictions"](path=path, **(fields or {}))
    dataset, classifier = data.rows("test"), Given().build(data)
    made = stages_of(dataset=dataset, classifier=classifier, **changes)
    return changed(made, data=data, model=Given())
