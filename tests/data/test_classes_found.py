"""Classes that the labels alone name are found by reading them once."""

import pandas as pd
import pytest

from pipeline.data.classes_found import count_classes, names_in
from pipeline.data.formats.open_table import open_table
from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput


def written(folder, **columns):
    pd.DataFrame(columns).to_csv(folder / "p.csv", index=False)
    return str(folder / "p.csv")


def test_names_of_several_columns_are_the_sorted_distinct_texts(tmp_path):
    source = open_table(written(tmp_path, label=["b", "a", "b"], prediction=["c", "a", "b"]))
    assert names_in([source], ["label", "prediction"]) == ("a", "b", "c")
    # The second time from the cache.
    assert names_in([source], ["label", "prediction"]) == ("a", "b", "c")


def test_one_class_is_refused(tmp_path):
    source = open_table(written(tmp_path, label=["a", "a"], number=[0, 0]))
    with pytest.raises(BadInput, match=r"label of p\.csv must have at least 2 classes; found 'a' alone"):
        names_in([source], ["label"])
    with pytest.raises(BadInput, match=r"number of p\.csv must have at least 2 classes; found 0 alone"):
        count_classes(source, "number")


@pytest.mark.parametrize(
    ("label", "prediction", "names", "labels", "k"),
    [
        (["b", "a"], ["c", "a"], ("a", "b", "c"), [1, 0], 3),
        ([2, 0], [3, 0], None, [2, 0], 4),
        ([10, -1], [-1, 2], ("-1", "2", "10"), [2, 0], 3),
        ([1.0, 0.0], [1, 0], None, [1, 0], 2),
        ([True, False], [True, True], None, [1, 0], 2),
    ],
)
def test_predicted_labels_have_the_classes_of_both_columns(tmp_path, label, prediction, names, labels, k):
    found = Predictions(path=written(tmp_path, label=label, prediction=prediction)).load()
    assert (found.class_names, found.labels.tolist(), found.n_classes) == (names, labels, k)
