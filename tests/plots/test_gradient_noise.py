import math

import matplotlib as mpl
import numpy as np
import pytest

from pipeline.plots import gradient_noise

WORDS = {"about": "mnist train, 60,000 rows", "confidence": 0.95, "tolerance": 0.05}


def metrics(scale, low, high, *, judge=697.0, mean=1e-3):
    return {
        "gradient_noise/scale_debiased": scale,
        "gradient_noise/scale_low": low,
        "gradient_noise/scale_high": high,
        "gradient/norm_squared": mean,
        "loss/n_for_tolerance": judge,
    }


SQUARED = np.random.default_rng(0).lognormal(-2, 3, size=5000)
CASES = {
    "known": (SQUARED, metrics(57_224.0, 31_576.0, 304_772.0)),
    "no upper end": (SQUARED, metrics(1_975.0, 614.0, math.inf)),
    "infinite": (SQUARED, metrics(math.inf, 1_905.0, math.inf)),
    "small": (SQUARED, metrics(2.5, 1.9, 3.1)),
    "below one row": (SQUARED, metrics(0.02, 0.01, 0.03)),
    "far beyond the data": (SQUARED, metrics(4e9, 3e9, 6e9)),
    "no noise": (np.ones(50), metrics(0.0, 0.0, 0.0, mean=1.0)),
    "infinite loss": (SQUARED, metrics(500.0, 300.0, 900.0, judge=math.inf)),
    "some rows without a gradient": (np.append(SQUARED, np.zeros(7)), metrics(500.0, 300.0, 900.0)),
    "mean of length 0": (SQUARED, metrics(math.inf, 300.0, math.inf, mean=0.0)),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_covers_another_or_leaves_the_figure(
    case, laid_out, overlapping_texts, texts_outside
):
    figure = laid_out(gradient_noise.draw(*CASES[case], **WORDS))
    assert overlapping_texts(figure) == []
    assert texts_outside(figure) == []
    for text in figure.findobj(mpl.text.Text):
        assert not text.get_text() or text.get_fontsize() >= 10
    for axes in figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()


def test_the_curves_cross_at_the_scale_with_twice_the_fewest():
    costs = gradient_noise.draw(*CASES["known"], **WORDS).axes[1]
    steps, examples = costs.lines[:2]
    at = np.argmin(np.abs(np.log(steps.get_ydata() / examples.get_ydata())))
    assert steps.get_xdata()[at] == pytest.approx(57_224, rel=0.05)
    assert steps.get_ydata()[at] == pytest.approx(2, rel=0.05)


def test_every_row_is_in_a_bar():
    norms = gradient_noise.draw(*CASES["some rows without a gradient"], **WORDS).axes[0]
    assert sum(bar.get_height() for bar in norms.patches) == 5007


@pytest.mark.parametrize(
    ("case", "title"),
    [
        ("known", "Larger training batches pay up to about 57,000 rows (95 %: 32,000 to 300,000)"),
        ("infinite", "How large a training batch pays, the data cannot tell: 1,900 rows or more (95 %)"),
    ],
)
def test_the_title_says_what_was_found(case, title):
    assert gradient_noise.draw(*CASES[case], **WORDS).get_suptitle() == title


def test_the_two_answers_are_told_apart():
    labels = [text.get_text() for text in gradient_noise.draw(*CASES["known"], **WORDS).legends[0].get_texts()]
    assert "to train: noise scale 57,000 rows, and its 95 % interval" in labels
    assert "to judge: 697 rows tell the loss within ±0.05 nats (95 %)" in labels
