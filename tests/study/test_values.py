"""Any numbers as data, ``data.value=COLUMN``: every study that takes them, against plain NumPy and SciPy."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.experiment import run
from pipeline.interval import loss
from pipeline.interval.by_metric import ByMetric
from pipeline.interval.loss.hall import Hall
from pipeline.interval.loss.t import T
from pipeline.metric.columns import described
from pipeline.metric.value import Value
from pipeline.study.compare import Compare
from pipeline.study.coverage import Coverage
from pipeline.study.designs import Designs
from pipeline.study.direction.gradient import Gradient
from pipeline.study.landscape import Landscape
from pipeline.study.plan import PlanStudy
from pipeline.study.until import Until
from tests.evaluation import Always, changed, evaluated
from tests.study.predicted import stages_from, write

N = 1200
RNG = np.random.default_rng(11)
# Skewed to the left and below 0: the mirror image of what losses are.
VALUES = -RNG.lognormal(0.5, 0.8, N)
OTHER = VALUES + RNG.normal(0.15, 0.5, N)
FREE = [name for name, part in loss.MEMBERS.items() if not (part.is_guaranteed or part.from_zero)]


@pytest.fixture
def stages_with(stages_of, tmp_path):
    """A function that makes stages on a file of these values."""

    def build(values=VALUES, *, fields=None, name="v.parquet", **changes):
        path = write(tmp_path / name, change=values, label=np.arange(len(values)) % 3)
        fields = {"value": "change", "unit": "°C"} | (fields or {})
        return stages_from(stages_of, path, fields=fields, **{"design": "without_replacement", "draws": 60} | changes)

    return build


def answered(stages, study):
    """The result of a study by `run`, on rows and classifier that are there already."""
    return run(changed(stages, study=study).experiment, Always())


def said(result):
    tables = [result.shown, *result.further]
    cells = [cell for table in tables for row in [table.headings, *table.rows, *table.footer] for cell in row]
    return " ".join([result.answer, *(table.title for table in tables), *cells, result.summary, *result.notes])


@pytest.mark.parametrize("memory", [1 << 28, 0], ids=["in memory", "on disk"])
def test_evaluate_gives_the_mean_and_its_interval_in_the_unit(stages_with, memory):
    stages = stages_with(fields={"memory": memory}, batch_size=50)
    found = evaluated(stages)
    assert set(stages.metrics) == {"value"}
    assert found.metrics["value/all"] == pytest.approx(VALUES.mean(), rel=1e-12)
    assert found.metrics["value/se"] == pytest.approx(VALUES.std(ddof=1) * np.sqrt((1 - 50 / N) / 50), rel=1e-9)
    batches = [VALUES[stages.plan.batch(0, i).indices].mean() for i in range(60)]
    np.testing.assert_allclose(found.draws["value"], batches, rtol=1e-12)
    assert found.answer.startswith(f"Mean change {VALUES.mean():.2f} °C [")
    assert "(1,200 rows, as a sample of the world; 95 %)" in found.answer
    words = said(found)
    for absent in ("nats", "loss", "accuracy", "%,"):
        assert absent not in words.replace("% \nheld", "")


def test_the_interval_of_all_rows_is_students_t(stages_with):
    stages = changed(stages_with(), interval=ByMetric(loss=T(), accuracy=stages_with().experiment.interval.accuracy))
    found = evaluated(stages).metrics
    low, high = stats.t.interval(0.95, N - 1, VALUES.mean(), stats.sem(VALUES))
    assert found["value/all_low"] == pytest.approx(low, rel=1e-9)
    assert found["value/all_high"] == pytest.approx(high, rel=1e-9)


@pytest.mark.parametrize("name", FREE)
def test_every_interval_moves_with_the_values_and_turns_with_them(stages_with, name):
    """By an interval for x, -x has the mirrored one, and x + c the one that is moved by c."""
    fields = {} if name not in ("bca", "bootstrap_t") else {"resamples": 199}
    asked = {"batch_size": 30, "draws": 25}
    interval = ByMetric(loss=loss.MEMBERS[name](**fields), accuracy=stages_with().experiment.interval.accuracy)
    draws = {
        key: evaluated(changed(stages_with(values, name=f"{key}.parquet", **asked), interval=interval)).draws
        for key, values in (("x", VALUES), ("moved", VALUES + 1000), ("turned", -VALUES))
    }
    ends = draws["x"][["value_low", "value_high"]].to_numpy()
    assert np.isfinite(ends).all()
    moved = draws["moved"][["value_low", "value_high"]].to_numpy()
    np.testing.assert_allclose(moved - 1000, ends, atol=1e-8)
    turned = draws["turned"][["value_high", "value_low"]].to_numpy()
    # Resampled means are mirrored; their quantiles are of ranks that are rounded outward, or interpolated.
    np.testing.assert_allclose(-turned, ends, atol=1e-9 if name in ("hall", "t", "normal") else 0.05)


@pytest.mark.parametrize("name", [name for name, part in loss.MEMBERS.items() if part.is_guaranteed])
def test_an_interval_that_needs_a_bound_is_refused(stages_with, name):
    part = loss.MEMBERS[name](cap=3.0)
    stages = changed(stages_with(), interval=ByMetric(loss=part, accuracy=stages_with().experiment.interval.accuracy))
    with pytest.raises(
        BadInput,
        match=rf"interval/loss={name} must have .* bound; found value, which has none: choose interval/loss=t$",
    ):
        evaluated(stages)


def test_halls_interval_holds_the_mean_of_heavy_tails_as_often_as_scipys_bootstrap(stages_with):
    """Pareto values with a tail index of 3, batches of 100: no less than BCa by SciPy, and nearer to 95 %."""
    values = stats.pareto.rvs(3, size=20_000, random_state=np.random.default_rng(3))
    stages = stages_with(values, batch_size=100, draws=400)
    stages = changed(stages, interval=ByMetric(loss=Hall(), accuracy=stages.experiment.interval.accuracy))
    draws = evaluated(stages).draws
    held = ((draws["value_low"] <= values.mean()) & (values.mean() <= draws["value_high"])).sum()
    by_scipy = 0
    for i in range(400):
        batch = values[stages.plan.batch(0, i).indices]
        found = stats.bootstrap(
            (batch,), np.mean, n_resamples=299, method="BCa", rng=np.random.default_rng(i)
        ).confidence_interval
        by_scipy += found.low <= values.mean() <= found.high
    assert held >= by_scipy
    # Five standard errors below what it holds here, 92 %.
    assert held >= stats.binom.ppf(1e-6, 400, 0.92)


def test_coverage_judges_the_intervals_without_a_bound(stages_with):
    found = answered(stages_with(batch_size=100), Coverage())
    assert set(found.tables["coverage.csv"]["interval"]) == set(FREE)
    words = said(found)
    assert "betting is left out: it needs values from 0 to a largest one" in words
    assert "hall_score is left out: it needs values from 0 to a largest one" in words
    assert "mean change" in words
    assert "nats" not in words


def test_plan_finds_the_rows_of_the_normal_formula(stages_with):
    found = answered(stages_with(), PlanStudy(loss_within=0.2, check_draws=200))
    simple = (stats.norm.ppf(0.975) / 0.2) ** 2 * VALUES.var(ddof=1)
    assert found.metrics["value/n"] == pytest.approx(simple / (1 + simple / N), abs=1)
    words = said(found)
    assert "the mean change is within ±0.2 °C in 95 of 100 batches" in words
    assert words.count("Measure ") == 1
    assert "nats" not in words


def test_a_pilot_allows_for_a_tail_below_as_for_one_above(stages_with):
    sizes = [
        answered(stages_with(values, name=f"{i}.parquet"), PlanStudy(loss_within=0.2, pilot=300)).metrics["value/n"]
        for i, values in enumerate((VALUES, -VALUES))
    ]
    assert sizes[0] == sizes[1]


def test_designs_take_strata_by_label(stages_with):
    frame = answered(stages_with(batch_size=60), Designs()).tables["designs.csv"]
    assert {"value"} == set(frame["metric"])
    assert "stratified_label" in " ".join(frame["design"]) or any("class" in words for words in frame["words"])


def test_two_files_are_compared_by_the_paired_t_test(stages_with, tmp_path):
    stages = stages_with()
    other = write(tmp_path / "other.parquet", change=OTHER, label=np.arange(N) % 3)
    with described(stages.experiment.metric):
        found = answered(stages, Compare(against=other, direction=Gradient()))
    by_scipy = stats.ttest_rel(OTHER, VALUES)
    low, high = by_scipy.confidence_interval(0.95)
    assert found.metrics["value/difference"] == pytest.approx((OTHER - VALUES).mean(), rel=1e-9)
    assert found.metrics["value/difference_low"] == pytest.approx(low, rel=1e-9)
    assert found.metrics["value/difference_high"] == pytest.approx(high, rel=1e-9)
    assert found.metrics["value/p"] == pytest.approx(by_scipy.pvalue, rel=1e-6)
    words = said(found)
    assert "mean change difference,\n°C" in words
    assert "no loss" not in words
    assert "no accuracy" not in words


def test_two_columns_of_one_file_are_compared(stages_of, tmp_path):
    path = write(tmp_path / "both.parquet", before=VALUES, after=OTHER)
    stages = stages_from(stages_of, path, fields={"value": "before"}, design="without_replacement", draws=10)
    found = answered(stages, Compare(against=path, against_columns={"value": "after"}, direction=Gradient()))
    assert found.metrics["value/difference"] == pytest.approx((OTHER - VALUES).mean(), rel=1e-9)


def test_a_negative_mean_that_does_not_change_is_no_change(stages_of, tmp_path):
    path = write(tmp_path / "a.parquet", before=VALUES)
    stages = stages_from(stages_of, path, fields={"value": "before"}, design="without_replacement", draws=10)
    found = answered(stages, Compare(against=path, direction=Gradient()))
    assert (found.metrics["value/difference"], found.metrics["value/p"]) == (0.0, 1.0)
    assert "no row's before changes" in found.summary


@pytest.mark.parametrize(
    ("study", "says"),
    [
        (Until(), r"study=until must have metrics with a largest value.*found value, .*: choose study=plan"),
        (
            Landscape(direction=Gradient()),
            r"study=landscape looks at the loss and the accuracy, .*leave data\.value out",
        ),
    ],
)
def test_a_study_that_values_do_not_allow_is_refused_in_one_line(stages_with, study, says):
    with pytest.raises(BadInput, match=says) as caught:
        answered(stages_with(), study)
    assert "\n" not in str(caught.value)


def test_small_spread_around_a_large_mean_is_kept_on_disk(stages_with):
    """In float32 the values would be equal."""
    values = 1e9 + np.random.default_rng(12).normal(0, 1, N)
    found = evaluated(stages_with(values, fields={"memory": 0}, batch_size=50)).metrics
    assert found["value/se"] == pytest.approx(values.std(ddof=1) * np.sqrt((1 - 50 / N) / 50), rel=1e-4)


def test_the_metric_is_that_of_the_data_whatever_is_configured(stages_with):
    experiment = stages_with().experiment
    assert experiment.metric == {"value": Value(quantity="change", measured_in="°C")}
    again = dataclasses.replace(experiment)
    assert again.metric == experiment.metric


@pytest.mark.slow
def test_a_sweep_says_the_column_and_the_unit_and_refuses_a_row_that_is_none(request_of, tmp_path):
    path = write(tmp_path / "v.parquet", **{"latency [ms]": -VALUES})
    asked = ["+experiment=sweep", "data=predictions", f"data.path={path}", "data.value='latency [ms]'", "data.unit=ms"]
    done = request_of("--multirun", *asked, "batch_size=10,100", "draws=40", mlruns=tmp_path / "mlruns")
    assert done.returncode == 0, done.stderr
    low, high = done.stdout.splitlines()[0].partition("[ms] ")[2].partition("[")[2].partition("]")[0].split(", ")
    assert done.stdout.startswith(f"Mean latency [ms] {-VALUES.mean():.2f} ms [{low}, {high}] (1,200 rows")
    assert float(low) < -VALUES.mean() < float(high)
    for absent in ("nats", "loss", "accuracy"):
        assert absent not in done.stdout
    write(tmp_path / "v.parquet", **{"latency [ms]": np.where(np.arange(N) == 700, np.inf, -VALUES)})
    done = request_of("--multirun", *asked, "batch_size=10,100", "draws=40", mlruns=tmp_path / "other")
    assert done.returncode == 2
    assert "latency [ms] must be a finite number; found inf in row 700 of " in done.stderr
    assert not (tmp_path / "other" / "mlflow.db").exists()
