import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput
from pipeline.estimation.calibration import Calibration
from pipeline.model.given import Given
from pipeline.proxy.column import Column
from pipeline.proxy.frame import frame_of
from pipeline.sampling.units import units_of
from pipeline.scoring.rows import score
from pipeline.study.label import Label
from pipeline.study.labelling.population import Unlabelled
from tests.evaluation import changed


@pytest.fixture
def predicted(stages_of, tmp_path):
    """A function from columns of a file without labels to its rows."""

    def build(proxy=None, **columns):
        path = tmp_path / "p.parquet"
        pd.DataFrame({name: list(column) for name, column in columns.items()}).to_parquet(path)
        data = Predictions(path=str(path)).unlabelled()
        rows, classifier = data.rows("test"), Given().built(data)
        stages = changed(
            stages_of(batch_size=2), rows=rows, classifier=classifier, units=units_of(rows), data=data, study=Label()
        )
        if proxy is not None:
            frame = frame_of(rows, stages.units, classifier, proxy=proxy, data=data)
            stages = changed(stages, proxy=proxy, frame=frame)
        return Unlabelled(stages)

    return build


LOGITS = 3 * np.random.default_rng(0).standard_normal((20_000, 4)).astype(np.float32)


def test_values_of_given_labels_are_the_scores_against_those_of_the_same_rows_with_labels(stages_of):
    stages = stages_of()
    rows, scores = Unlabelled(stages), score(stages.classifier, stages.rows)
    some = np.array([5, 700, 31])
    found = rows.values(some, rows.own_labels()[some])
    # Three rows are a block of their own, in which BLAS adds up float32 in another order.
    np.testing.assert_allclose(found["loss"], scores.loss[some], rtol=1e-5)
    np.testing.assert_array_equal(found["accuracy"], 1 - scores.correct[some])


def test_outputs_and_values_are_the_same_to_the_last_bit_with_any_number_of_threads_of_blas(stages_of):
    rows, some, found = Unlabelled(stages_of()), np.arange(0, 1000, 3), []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            found.append((rows.outputs(some), rows.values(some, rows.own_labels()[some])["loss"]))
    for outputs, values in found[1:]:
        np.testing.assert_array_equal(outputs, found[0][0])
        np.testing.assert_array_equal(values, found[0][1])


def test_logits_and_their_probabilities_expect_the_same(predicted):
    shifted = np.exp(LOGITS.astype(float) - LOGITS.max(axis=1, keepdims=True))
    calibration = Calibration(1.3, 0.02)
    from_logits = predicted(logits=LOGITS).expected(calibration)
    from_probabilities = predicted(probabilities=shifted / shifted.sum(axis=1, keepdims=True)).expected(calibration)
    np.testing.assert_allclose(from_logits.loss, from_probabilities.loss, rtol=1e-5)
    np.testing.assert_allclose(from_logits.error, from_probabilities.error, rtol=1e-5, atol=1e-9)
    # Blocks end within the rows: all are there, each in its place.
    np.testing.assert_array_equal(from_logits.loss, calibration.expected(LOGITS).loss)


def test_rows_without_labels_have_none_and_predicted_labels_no_chances(predicted):
    rows = predicted(prediction=np.array([0, 2, 1, 2]))
    assert rows.own_labels() is None
    assert rows.expected(Calibration()) is None
    assert rows.outputs(np.array([0, 1])).shape == (2, 0)
    assert rows.values(np.array([1, 2]), np.array([2, 0]))["accuracy"].tolist() == [0, 1]


def test_a_column_in_a_unit_of_its_own_is_brought_to_that_of_what_it_guesses(predicted):
    column = 1e6 + 1e5 * LOGITS[:, 0].astype(float)
    rows = predicted(Column(column="hard"), logits=LOGITS, hard=column)
    proxy, expected = rows.test(uniform=0.2).proxy, rows.expected(Calibration())
    assert proxy["loss"].min() == 0
    assert proxy["loss"].mean() == pytest.approx(expected.loss.mean())
    assert proxy["accuracy"].mean() == pytest.approx(expected.error.mean())
    assert np.corrcoef(proxy["loss"], column)[0, 1] == pytest.approx(1)


def test_a_class_held_impossible_is_refused_when_it_is_the_label(predicted):
    rows = predicted(probabilities=np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]))
    with pytest.raises(BadInput, match="must hold every row's class possible; found an infinite loss in row 0"):
        rows.values(np.array([1, 0]), np.array([0, 1]))
