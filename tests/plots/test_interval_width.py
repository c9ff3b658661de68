from __future__ import annotations

import numpy as np

from pipeline.plots import interval_width


def test_widths_are_the_medians_over_the_ideal(coverage_table):
    table = coverage_table()
    first, second, *_ = interval_width.draw(table).axes
    own = table[(table["metric"] == "loss") & (table["interval"] == "hall_score")]
    assert any(np.array_equal(line.get_ydata(), own["width_ratio"]) for line in first.lines)
    assert first.get_ylim() == second.get_ylim()


def test_a_line_marks_the_ideal_and_no_width_of_zero_or_without_end_is_drawn(coverage_table):
    for axes in interval_width.draw(coverage_table()).axes:
        (ideal,) = [line for line in axes.lines if line.get_marker() in ("None", "")]
        assert set(ideal.get_ydata()) == {1.0}
        values = np.concatenate([line.get_ydata() for line in axes.lines])
        assert np.isfinite(values).all()
        assert (values > 0).all()


def test_the_title_quotes_the_configured_intervals_at_the_size_nearest_100(coverage_table):
    table = coverage_table((10, 80, 1_000))
    at = table[(table["batch_size"] == 80) & table["is_configured"]].set_index("interval")["width_ratio"]
    assert interval_width.draw(table).get_suptitle().replace("\n", " ") == (
        "What the promise costs: at b = 80 the median width is, over the ideal, "
        f"hall (loss) {at['hall']:.2f}, wilson (accuracy) {at['wilson']:.2f}"
    )
    unknown = interval_width.draw(table.assign(is_configured=False))
    assert unknown.get_suptitle() == "What the promise costs: median width of each interval over the ideal"
