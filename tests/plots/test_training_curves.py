from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import training_curves


def frame_of(batch_size, steps=200, group=""):
    rng = np.random.default_rng(batch_size)
    step = np.arange(steps + 1)
    loss = 2.3 / (1 + 0.1 * step)
    evaluated = np.isin(step, np.unique(np.geomspace(1, steps, 20).astype(int))) | (step == 0)
    frame = pd.DataFrame({"batch_size": batch_size, "group": group, "step": step, "examples": batch_size * step,
                          "batch_loss": loss * rng.lognormal(0, 0.5, steps + 1),
                          "batch_accuracy": np.clip(1 - loss / 2.5 + rng.normal(0, 0.1, steps + 1), 0, 1)})  # fmt: skip
    for split, factor in (("train", 1.0), ("test", 1.1)):
        frame[f"{split}_loss"] = np.where(evaluated, factor * loss, np.nan)
        frame[f"{split}_accuracy"] = np.where(evaluated, 1 - factor * loss / 2.6, np.nan)
    frame.loc[0, ["batch_loss", "batch_accuracy"]] = np.nan
    return frame


def metrics_of(batch_size):
    return {"batch_size": batch_size, "loss/test": 0.1 + batch_size / 1e4, "accuracy/test": 0.97, "loss/target": 0.2,
            "accuracy/target": 0.95, "train/learning_rate": 0.3}  # fmt: skip


def sweep_of(*sizes):
    return pd.DataFrame([metrics_of(size) for size in sizes]), pd.concat([frame_of(size) for size in sizes])


@pytest.mark.parametrize("sizes", [(8,), (8, 32, 128, 512), (1, 2, 4, 8, 16, 32), tuple(2**i for i in range(9))])
def test_any_number_of_sizes_is_drawn_without_overlap(sizes, laid_out, overlapping_texts, texts_outside):
    figure = laid_out(training_curves.draw(*sweep_of(*sizes), "seed=1"))
    assert overlapping_texts(figure) == []
    assert texts_outside(figure) == []


def test_one_step_is_drawn_without_a_warning(laid_out, overlapping_texts):
    assert overlapping_texts(laid_out(training_curves.draw_cell(frame_of(8, steps=1), metrics_of(8), "digits"))) == []


def test_a_size_has_a_colour_and_more_than_six_are_thinned_and_said():
    figure = training_curves.draw(*sweep_of(*(2**i for i in range(9))))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text for text in texts if text.startswith("b = ")] == [f"b = {size}" for size in (1, 4, 8, 32, 64, 256)]
    assert "(3 more sizes not drawn)" in texts


def test_raw_batches_lie_faint_under_their_mean_and_both_splits_below():
    cells, frame = sweep_of(8, 32)
    axes = training_curves.draw(cells, frame).axes
    raw, mean, *_ = axes[0].lines
    own = frame[(frame["batch_size"] == 8) & (frame["step"] > 0)]
    np.testing.assert_allclose(raw.get_ydata(), own["batch_loss"])
    assert raw.get_alpha() < 0.3
    assert raw.get_zorder() < mean.get_zorder()
    assert raw.get_color() == mean.get_color()
    train, test = axes[3].lines[:2]
    known = own.dropna(subset="test_accuracy")
    np.testing.assert_allclose(train.get_ydata(), 100 * known["train_accuracy"])
    np.testing.assert_allclose(test.get_ydata(), 100 * known["test_accuracy"])
    np.testing.assert_array_equal(test.get_xdata(), known["examples"])
    assert {axes[i].get_ylabel() for i in (0, 2)} == {"loss [nats]"}
    assert axes[0].get_xlabel() == "examples seen [rows]"


def test_the_running_mean_is_over_a_quarter_on_either_side_and_some_batches_at_least():
    examples, values = np.arange(1, 101) * 8, np.random.default_rng(0).random(100)
    found = training_curves.smoothed(examples, values, 3)
    for i, reach in ((0, 0), (2, 2), (9, 3), (50, 3), (99, 0)):
        near = (examples >= examples[i] / 1.25) & (examples <= examples[i] * 1.25)
        near |= np.abs(np.arange(100) - i) <= reach
        assert found[i] == pytest.approx(values[near].mean())


def test_the_titles_say_where_it_ended():
    cells, frame = sweep_of(8, 32)
    title = training_curves.draw(cells, frame, "seed=1").get_suptitle()
    assert title.replace("\n", " ") == (
        "seed=1: Of all sizes b = 8 ended with the lowest loss on the test split: 0.101 nats and 97 %"
    )
    title = training_curves.draw_cell(frame_of(8), metrics_of(8), "digits train, 8 rows a step").get_suptitle()
    assert title == "digits train, 8 rows a step, rate 0.3: 0.101 nats and 97 % on the test split at the end"


def test_pictures_of_groups_that_are_compared_have_the_same_axes():
    cells, frame = sweep_of(8, 32)
    worse = frame.assign(test_loss=frame["test_loss"] * 3)
    both = pd.concat([frame, worse])
    one, other = (training_curves.draw(cells, own, beside=both).axes for own in (frame, worse))
    for axes, its in zip(one, other, strict=True):
        assert axes.get_ylim() == its.get_ylim()
        assert axes.get_xlim() == its.get_xlim()
