import numpy as np
import pytest

from pipeline.plots import until
from pipeline.study.until import Look


def looks(n):
    shrinking = 0.5 / np.sqrt(n)
    return [
        Look(
            int(size),
            {"loss": 0.2, "accuracy": 0.93},
            {"loss": 0.2 - reach, "accuracy": 0.93 - reach / 4},
            {"loss": 0.2 + reach, "accuracy": 0.93 + reach / 4},
        )
        for size, reach in zip(n, shrinking, strict=True)
    ]


@pytest.mark.parametrize("n", [[100], [100, 200, 400, 800]])
def test_the_band_is_the_intervals_and_the_dashes_are_what_was_asked(n):
    seen = looks(np.array(n))
    loss, accuracy = until.draw(seen, {"loss": 0.05}, confidence=0.95).axes
    band = loss.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx(seen[0].low["loss"])
    assert band.max() == pytest.approx(seen[0].high["loss"])
    dashes = sorted(line.get_ydata()[0] for line in loss.lines if line.get_linestyle() == "--")
    assert dashes == pytest.approx([0.15, 0.25])
    assert not [line for line in accuracy.lines if line.get_linestyle() == "--"]
    assert "nats" in loss.get_ylabel()
    assert "%" in accuracy.get_ylabel()
