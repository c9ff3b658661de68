from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from pipeline.metric.columns import of_column
from pipeline.plots import trend
from pipeline.report.series import About, Look, MetricTrend, Value

INF = np.inf


def about(labels, days=None, reference=0):
    return About(f"{labels[0]}.csv", f"{labels[-1]}.csv", labels, days, [500] * len(labels), reference, 0.95)


def dated(n, every=7):
    days = [every * i for i in range(n)]
    return about([str(np.datetime64("2026-10-05") + day) for day in days], days)


def metric(name, values, *, width=0.02, alarm=None):
    values = [Value(value, value - width, value + width) for value in values]
    nothing = [None] * len(values)
    looks = [None, *(Look(0.01 if alarm is not None and i >= alarm else 1.0, i) for i in range(1, len(values)))]
    return MetricTrend(of_column(name), values, nothing, nothing, looks)


def both(n, *, alarm=None):
    rng = np.random.default_rng(0)
    accuracy = 0.95 + 0.01 * rng.normal(size=n)
    return {"loss": metric("loss", 1 - accuracy, alarm=alarm), "accuracy": metric("accuracy", accuracy, alarm=alarm)}


LONG = ["model_of_the_first_week$x$", "model_of_the_second_week$x$", "model_of_the_third_week$x$"]
UNEVEN = about(["2026-10-05", "2026-10-06", "2026-10-07", "2027-03-01"], [0, 1, 2, 147])
INFINITE = {
    "loss": MetricTrend(of_column("loss"), [Value(INF, -INF, INF)] * 4, [None] * 4, [None] * 4, [None] * 4),
    "accuracy": metric("accuracy", [0.9, 0.91, 0.92, 0.93]),
}
SOME_INFINITE = {**INFINITE, "loss": MetricTrend(of_column("loss"), [Value(1.0, 0.9, 1.1), Value(INF, -INF, INF)] * 2,
                                                 [None] * 4, [None] * 4, [None] * 4)}  # fmt: skip
CASES = {
    "ten weeks with an alarm": (both(10, alarm=6), dated(10)),
    "ten weeks without one": (both(10), dated(10)),
    "two files": (both(2, alarm=1), dated(2)),
    "a hundred days": (both(100, alarm=50), dated(100, 1)),
    "long names without dates": (both(3), about(LONG)),
    "uneven dates": (both(4), UNEVEN),
    "another reference": (both(4), about(UNEVEN.labels, UNEVEN.days, 2)),
    "accuracy alone": ({"accuracy": metric("accuracy", [0.9, 0.91])}, dated(2)),
    "no width": ({"accuracy": metric("accuracy", [1.0, 1.0], width=0.0)}, dated(2)),
    "losses all infinite": (INFINITE, UNEVEN),
    "losses infinite in some files": (SOME_INFINITE, UNEVEN),
    "five metrics": (
        {n: metric(n, [0.5, 0.6]) for n in ("loss", "accuracy", "brier", "top_5", "squared_error")},
        dated(2),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_collides_or_leaves_the_figure(case, texts_outside, overlapping_texts):
    figure = trend.draw(*CASES[case])
    figure.draw_without_rendering()
    assert figure.get_suptitle()
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


def test_points_stand_at_their_days_the_reference_is_a_line_and_the_alarm_is_marked():
    found, series = CASES["ten weeks with an alarm"]
    figure = trend.draw(found, series)
    assert figure.get_suptitle() == "2026-10-05.csv to 2026-12-07.csv, 10 files: alarm at 2026-11-16"
    for axes, own, times in zip(figure.axes, found.values(), (1, 100), strict=True):
        lines = {line.get_color(): line for line in axes.lines if len(line.get_xdata()) == 10}
        (points,) = [line for line in lines.values() if line.get_marker() == "o"]
        assert points.get_xdata().tolist() == series.days
        assert points.get_ydata() == pytest.approx([times * value.value for value in own.values])
        level = [line for line in axes.lines if line.get_color() == trend.style.INK]
        assert level[0].get_ydata()[0] == pytest.approx(times * own.values[0].value)
        marks = [line for line in axes.lines if mpl.colors.same_color(line.get_color(), trend.style.COLOURS[1])]
        assert {float(line.get_xdata()[0]) for line in marks} == {42.0}
        assert "changed since 2026-11-16" in axes.get_title()


def test_without_an_alarm_the_title_says_so_and_nothing_is_marked():
    figure = trend.draw(*CASES["ten weeks without one"])
    assert figure.get_suptitle().endswith("10 files: no change beyond chance")
    assert len(figure.legends[0].get_texts()) == 3
