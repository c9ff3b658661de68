"""What is kept of each file of a series."""

import re

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.brier import Brier
from pipeline.metric.loss import Loss
from pipeline.study.dated_files import in_order
from pipeline.study.series import scored
from tests.evaluation import changed
from tests.study.predicted import write
from tests.study.weeks import stages_on, week, weeks


def series(stages, paths, **asked):
    return scored(stages, in_order(paths, {}), **({"loss_cap": None} | asked))


def test_each_files_figures_are_those_of_its_own_rows_against_scipy(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.95, 0.8, 0.9))
    found = series(stages_on(stages_of, paths[0]), paths)
    for path, own in zip(paths, found, strict=True):
        alone = stages_on(stages_of, path)
        scores, _ = alone.scores()
        accuracy, loss = own.figures["accuracy"], own.figures["loss"]
        assert own.n == accuracy.moments.n == 400
        assert accuracy.right == (np.count_nonzero(scores.correct), 400)
        wilson = stats.binomtest(accuracy.right[0], 400).proportion_ci(method="wilson")
        assert (accuracy.low, accuracy.high) == pytest.approx((wilson.low, wilson.high))
        student = stats.ttest_1samp(scores.loss, 0).confidence_interval()
        assert (loss.low, loss.high) == pytest.approx((student.low, student.high))
        assert loss.moments.variance == pytest.approx(scores.loss.var())
        assert loss.sample.total == pytest.approx(scores.loss.sum())
    assert len({own.digest for own in found}) == 3


def test_a_change_of_any_file_changes_its_digest_alone(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.95, 0.95, 0.95))
    stages = stages_on(stages_of, paths[0])
    before = [own.digest for own in series(stages, paths)]
    week(tmp_path / "2026-10-12.parquet", 0.95, seed=77, rows=401)
    after = [own.digest for own in series(stages, paths)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_streamed_files_give_the_same_figures_as_files_in_memory(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.95, 0.8))
    in_memory = series(stages_on(stages_of, paths[0]), paths)
    streamed = series(stages_on(stages_of, paths[0], fields={"memory": 0}), paths)
    for a, b in zip(in_memory, streamed, strict=True):
        assert a.figures["accuracy"].right == b.figures["accuracy"].right
        assert a.figures["loss"].value == pytest.approx(b.figures["loss"].value, rel=1e-6)


def test_an_infinite_loss_leaves_no_test_until_it_is_capped(stages_of, tmp_path):
    paths = [
        write(tmp_path / f"2026-10-0{i}.parquet", probabilities=np.tile([1.0, 0.0], (50, 1)), label=np.arange(50) % 2)
        for i in (1, 2)
    ]
    stages = stages_on(stages_of, paths[0])
    assert [own.figures["loss"].sample for own in series(stages, paths)] == [None, None]
    capped = series(stages, paths, loss_cap=10.0)
    assert [own.capped for own in capped] == [25, 25]
    assert capped[0].figures["loss"].sample.total == pytest.approx(250)


def test_further_metrics_are_looked_at_too(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.95, 0.8))
    stages = changed(stages_on(stages_of, paths[0]), metric={"accuracy": Accuracy(), "brier": Brier()})
    assert list(series(stages, paths)[1].figures) == ["accuracy", "brier"]


def test_files_with_other_classes_or_fewer_metrics_or_damage_are_refused_by_name(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.95,))
    stages = stages_on(stages_of, paths[0])
    five = week(tmp_path / "2026-10-12.parquet", 0.9, classes=5)
    with pytest.raises(BadInput, match="same classes; found 5 of them in 2026-10-12"):
        series(stages, [*paths, five])
    scores = write(tmp_path / "2026-10-19.parquet", correct=np.arange(30) % 2 == 0)
    with pytest.raises(
        BadInput, match=re.escape("must have the loss, as 2026-10-05.parquet has; found none in 2026-1")
    ):
        series(stages, [*paths, scores])
    alone = changed(stages, metric={"accuracy": Accuracy()})
    assert series(alone, [*paths, scores])[1].figures["accuracy"].right == (15, 30)
    with pytest.raises(BadInput, match="must have the loss"):
        series(changed(stages, metric={"loss": Loss()}), [*paths, scores])
    (tmp_path / "2026-10-26.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadInput, match=r"2026-10-26\.parquet must"):
        series(stages, [*paths, str(tmp_path / "2026-10-26.parquet")])
