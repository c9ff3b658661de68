"""What to mind of the differences of metrics of all rows together."""

import numpy as np

from pipeline.metric.together import TOGETHER
from pipeline.study.paired.pair import Pair
from pipeline.study.together_notes import pair_notes
from tests.study.paired.test_pair import LABELS, pair


def test_the_rarest_class_is_named_where_it_has_few_rows():
    notes = pair_notes(pair().take(np.arange(40)))
    fewest = np.bincount(LABELS[:40]).min()
    assert notes[0].startswith("AUC: the variance of the difference is DeLong's")
    assert f"the rarest class has {fewest} rows" in notes[-1]
    assert "balanced accuracy, macro F1 and AUC" in notes[-1]
    # An interval with room for such rows is not too narrow.
    assert pair_notes(pair().take(np.arange(40)), has_room=True) == notes[:-1]


def test_of_metrics_of_a_row_nothing_is_said():
    both = pair()
    assert pair_notes(Pair(both.before, both.after, {"loss": both.asked["loss"]})) == []
    assert pair_notes(Pair(both.before, both.after, {"auc": TOGETHER["auc"]})) == []
