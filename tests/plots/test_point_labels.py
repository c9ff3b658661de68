from __future__ import annotations

import itertools

import pytest

from pipeline.plots import style
from pipeline.plots.point_labels import label_points, lay_out


@pytest.fixture
def axes():
    figure, grid = style.new_figure("title", columns=1)
    grid[0, 0].set(xlim=(0, 10), ylim=(0, 10))
    lay_out(figure)
    return grid[0, 0]


def boxes(axes):
    return {text.get_text(): text.get_window_extent() for text in axes.texts}


def test_every_point_with_room_has_its_text_beside_it(axes):
    points = [(1.0, 8.0, "1"), (4.0, 4.0, "10"), (8.0, 2.0, "100")]
    label_points(axes, points)
    found = boxes(axes)
    for x, y, text in points:
        at = axes.transData.transform((x, y))
        box = found[text]
        assert not box.contains(*at)
        assert abs(box.x0 - at[0]) < 40
    assert not any(one.overlaps(other) for one, other in itertools.combinations(found.values(), 2))


def test_a_text_keeps_inside_the_panel(axes):
    label_points(axes, [(9.95, 9.95, "60,000"), (0.05, 0.05, "1")])
    for box in boxes(axes).values():
        assert axes.bbox.x0 <= box.x0
        assert box.x1 <= axes.bbox.x1
        assert axes.bbox.y0 <= box.y0
        assert box.y1 <= axes.bbox.y1
    assert set(boxes(axes)) == {"1", "60,000"}


def test_a_text_keeps_off_an_upright_line(axes):
    label_points(axes, [(5.0, 5.0, "1,000")], uprights=[5.3])
    at = axes.transData.transform((5.3, 0.0))[0]
    box = boxes(axes)["1,000"]
    assert not box.x0 < at < box.x1


def test_what_fits_nowhere_is_left_out(axes):
    crowd = [(5.0 + 0.04 * i, 5.0 + 0.04 * j, f"{10 * i + j}") for i in range(8) for j in range(8)]
    label_points(axes, crowd)
    found = boxes(axes)
    assert 0 < len(found) < len(crowd)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(found.values(), 2))


def test_two_groups_points_of_one_size_close_together_share_a_text(axes):
    label_points(axes, [(5.0, 5.0, "100"), (5.05, 5.0, "100")])
    assert [text.get_text() for text in axes.texts] == ["100"]


def test_letters_that_the_font_has_not_are_laid_out_without_a_warning():
    figure, grid = style.new_figure("日", columns=1)
    grid[0, 0].set(xlim=(0, 10), ylim=(0, 10), title="国")
    # Warnings are errors here.
    lay_out(figure)
    label_points(grid[0, 0], [(5.0, 5.0, "本")])
    assert [text.get_text() for text in grid[0, 0].texts] == ["本"]
