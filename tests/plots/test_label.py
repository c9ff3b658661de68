import pandas as pd

from pipeline.plots import label
from pipeline.report.label import About

ABOUT = About("rows", 10_000, 0.95)
LOOKS = pd.DataFrame(
    {
        "labels": [100, 200],
        "loss": [0.3, 0.3],
        "loss_half_width": [0.10, 0.07],
        "loss_simple": [0.15, 0.11],
        "accuracy": [0.9, 0.9],
        "accuracy_half_width": [0.03, 0.015],
        "accuracy_simple": [0.04, 0.03],
    }
)


def lines_of(figure, panel=0):
    return [line.get_xydata() for line in figure.axes[panel].lines]


def test_a_panel_has_the_looks_the_simple_sample_what_more_labels_buy_and_the_goal():
    figure = label.draw(LOOKS, {"loss": 0.05, "accuracy": 0.02}, ABOUT, "rows, mlp")
    simple, expected, looks, goal = lines_of(figure)
    assert looks.tolist() == [[100, 0.10], [200, 0.07]]
    assert expected[0].tolist() == [200, 0.07]
    # As far as the simple sample needs to reach the goal.
    assert expected[-1][0] == simple[-1][0] > 900
    assert goal[0][1] == 0.05
    assert "not yet enough" in figure.get_suptitle()
    assert lines_of(figure, 1)[2].tolist() == [[100, 3.0], [200, 1.5]]


def test_a_metric_that_is_not_asked_for_has_no_goal():
    figure = label.draw(LOOKS, {"loss": 0.1, "accuracy": None}, ABOUT, "rows, mlp")
    assert len(lines_of(figure, 1)) == 3
    assert "not yet" not in figure.get_suptitle()


def test_a_width_of_nothing_and_all_rows_labelled_can_be_drawn():
    looks = LOOKS.assign(loss_half_width=0.0, loss_simple=0.0, labels=[5_000, 10_000])
    assert len(lines_of(label.draw(looks, {"loss": 0.1, "accuracy": 0.02}, ABOUT, "rows"))) == 4
