from __future__ import annotations

import numpy as np
import pytest

from pipeline.plots import landscape_plane


def test_the_plane_says_how_many_values_each_metric_takes_and_marks_the_model(panel):
    figure = landscape_plane.draw([panel(plane=True)])
    assert "1,681 points" in figure.get_suptitle()
    assert [axes.get_title() for axes in figure.axes[:4]] == [
        "Loss of one batch of 100 rows",
        "Accuracy of one batch of 100 rows",
        "Loss of all 5,000 rows",
        "Accuracy of all 5,000 rows",
    ]
    assert all(axes.lines[0].get_xdata() == [0.0] for axes in figure.axes[:4])


def test_a_cells_colour_is_the_value_at_its_alpha_and_beta(panel):
    one = panel(plane=True, points=5, population=False)
    frame = one.frame
    frame.loc[(frame["alpha"] == 0.5) & (frame["beta"] == -1.0), "loss"] = 99.0
    loss = landscape_plane.draw([one]).axes[0]
    (mesh,) = [drawn for drawn in loss.collections if type(drawn).__name__ == "QuadMesh"]
    rows, columns = np.nonzero(np.asarray(mesh.get_array()).reshape(5, 5) == 99.0)
    # y is beta, of which -1 is the lowest; x is alpha, of which 0.5 is the fourth.
    assert (rows.tolist(), columns.tolist()) == ([0], [3])


@pytest.mark.parametrize(("least", "is_logarithmic"), [(0.2, True), (0.0, False)])
def test_the_scale_is_logarithmic_unless_a_loss_is_zero(least, is_logarithmic):
    norm = landscape_plane._norm(least, 3.0, is_log=True)
    assert (type(norm).__name__ == "LogNorm") == is_logarithmic


def test_one_batch_and_all_rows_have_one_scale_of_colours(panel):
    axes = landscape_plane.draw([panel(plane=True, points=5)]).axes
    for one, everyone in ((axes[0], axes[2]), (axes[1], axes[3])):
        limits = [panel.collections[0].get_clim() for panel in (one, everyone)]
        assert limits[0] == limits[1]


def test_of_many_planes_three_are_drawn_and_that_is_said(panel):
    figure = landscape_plane.draw([panel(f"seed={i}", plane=True, points=5, population=False) for i in range(4)])
    assert figure.get_suptitle().replace("\n", " ").endswith("(the first 3 of 4)")
    assert [axes.get_title().splitlines()[0] for axes in figure.axes[:6:2]] == ["seed=0", "seed=1", "seed=2"]
