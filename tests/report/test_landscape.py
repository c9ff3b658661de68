import pytest

from pipeline.report.landscape import comparison, summary, table


def metrics(loss_flat=0.0, accuracy_flat=0.845, steps=200, jump=0.02):
    found = {"steps": float(steps)}
    for suffix in ("", "/b10", "/all"):
        found |= {
            f"loss/distinct{suffix}": 201.0,
            f"loss/flat{suffix}": loss_flat,
            f"loss/largest_jump{suffix}": 0.0123,
        }
        found |= {f"accuracy/distinct{suffix}": 12.0, f"accuracy/flat{suffix}": accuracy_flat}
        found[f"accuracy/largest_jump{suffix}"] = jump
    return found


def test_a_row_a_size_in_order_and_all_rows_below():
    shown = table(metrics(), 100, "digits")
    assert shown.headings[2] == "moves\nof 200"
    assert [row[0] for row in shown.rows] == ["10", "100"]
    assert shown.rows[1] == ("100", "201", "200", "0.012", "12", "31", "2")
    assert shown.footer[0][0] == "all"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (metrics(), "the accuracy at 31, by at most 2 percentage points, 2 of the rows."),
        (metrics(jump=0.01), "by at most 1 percentage point, 1 of the rows."),
        (metrics(accuracy_flat=1.0), "the accuracy at 0."),
        (metrics(loss_flat=1.0, accuracy_flat=1.0), "neither sees the parameters move."),
        (metrics(loss_flat=0.9), "here the accuracy sees more."),
        (metrics(accuracy_flat=0.0), "at so wide a step both see the parameters move."),
    ],
)
def test_the_sentence_says_what_the_figures_say_whichever_way_it_goes(found, expected):
    assert summary(found, 100).endswith(expected)


def test_landscapes_side_by_side_and_stairs_named_only_where_there_are_any():
    smooth, stairs, flat = metrics(), metrics(loss_flat=0.8), metrics(loss_flat=1.0)
    both = comparison([("a=sigmoid", smooth, 100), ("a=step", stairs, 100)])
    assert "200 and 31 of 200 (sigmoid, b = 100); 40 and 31 of 200 (step, b = 100)." in both
    assert both.endswith(
        "With step the loss itself stands still at 80.0 % of them: stairs; with sigmoid it is a slope."
    )
    assert "does not move at all" in comparison([("a=sigmoid", smooth, 100), ("a=step", flat, 100)])
    assert "stairs" not in comparison([("d=random", smooth, 100), ("d=gradient", smooth, 100)])
