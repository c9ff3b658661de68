"""The picture of a league: the best on top, the line from the best to the worst rank that is possible."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import league


def frame(count):
    rng = np.random.default_rng(0)
    found = {"model": [f"a_model_with_a_long_name_{i}.parquet" for i in range(count)]}
    for name in ("loss", "accuracy"):
        place = rng.permutation(count) + 1
        found |= {name: place / count, f"{name}_place": place}
        found |= {f"{name}_rank_low": np.maximum(1, place - 2), f"{name}_rank_high": np.minimum(count, place + 1)}
    return pd.DataFrame(found)


def test_each_model_has_its_place_and_its_ranks():
    own = frame(7)
    figure = league.draw(own, "x", 0.95)
    for axes, name in zip(figure.axes[:2], ("loss", "accuracy"), strict=True):
        order = own.sort_values(f"{name}_place")
        ends = np.array([segment[:, 0] for segment in axes.collections[0].get_segments()])
        assert ends.tolist() == order[[f"{name}_rank_low", f"{name}_rank_high"]].to_numpy().tolist()
        assert axes.lines[-1].get_xdata().tolist() == list(range(1, 8))
        assert axes.get_yticklabels()[0].get_text().startswith("1  ")


@pytest.mark.parametrize("count", [2, 50])
def test_no_names_collide(count, laid_out):
    figure = laid_out(league.draw(frame(count), "x", 0.95))
    for axes in figure.axes[:2]:
        boxes = [text.get_window_extent() for text in axes.get_yticklabels()]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
