"""A metric that is made here, by one class and one entry in the list, in every study that its kind allows."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from scipy import special, stats

from pipeline import interval as interval_family
from pipeline import metric as metric_family
from pipeline.errors import BadInput
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval import accuracy, loss
from pipeline.metric.base import Metric, Share
from pipeline.metric.columns import of_column
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.study.compare import Compare
from pipeline.study.coverage import Coverage
from pipeline.study.designs import Designs
from pipeline.study.direction.base import as_network, moved
from pipeline.study.direction.gradient import Gradient
from pipeline.study.plan import PlanStudy
from pipeline.study.until import Until
from tests.evaluation import changed, evaluated


def probabilities(outputs, gives):
    return special.softmax(np.asarray(outputs, dtype=float), axis=1) if gives == "logits" else np.asarray(outputs)


@dataclass
class TopError(Metric):
    """How far the largest probability is from whether its class is right; bounded by 1."""

    name: str = "top_error"
    most: ClassVar[float] = 1.0

    def values(self, outputs, labels, *, gives):
        p = probabilities(outputs, gives)
        return np.abs((p.argmax(axis=1) == labels) - p.max(axis=1))


@dataclass
class SquaredLogit(Metric):
    """The square of the label's log-odds; without a bound, and more is better."""

    name: str = "squared_logit"
    unit: ClassVar[str] = "nats²"
    short_unit: ClassVar[str] = "nats²"
    is_better_low: ClassVar[bool] = False

    def values(self, outputs, labels, *, gives):
        own = probabilities(outputs, gives)[np.arange(len(labels)), labels]
        return special.logit(np.clip(own, 1e-9, 1 - 1e-9)) ** 2


@dataclass
class IsSure(Share):
    """Whether the largest probability is above 0.99."""

    name: str = "is_sure"

    def values(self, outputs, labels, *, gives):
        return (probabilities(outputs, gives).max(axis=1) > 0.99).astype(float)


OWN = {part().name: part for part in (TopError, SquaredLogit, IsSure)}
# Long enough that rows turn in each metric.
STEP = 0.5
EVERY = pytest.mark.parametrize("name", OWN)
BOUNDED = pytest.mark.parametrize("name", ["top_error", "is_sure"])


@pytest.fixture(autouse=True)
def in_the_list(monkeypatch):
    for name, part in OWN.items():
        monkeypatch.setitem(metric_family.MEMBERS, name, part)


@pytest.fixture
def values(digits_parts):
    """The values of a metric over all rows, by plain NumPy."""
    dataset, classifier = digits_parts
    logits = classifier.from_stored(dataset.scale)(dataset.inputs)
    return {name: part().values(logits, dataset.labels, gives="logits") for name, part in OWN.items()}


@pytest.fixture
def stages_with(stages_of):
    def build(*names, **changes):
        parts = {name: (OWN.get(name) or metric_family.MEMBERS[name])() for name in names}
        return changed(stages_of(**{"design": "without_replacement", "draws": 60} | changes), metric=parts)

    return build


def said(result):
    tables = [result.shown, *result.further]
    cells = [cell for table in tables for row in [table.headings, *table.rows, *table.footer] for cell in row]
    return " ".join([*(table.title for table in tables), *cells, result.summary, *result.notes])


@EVERY
def test_it_is_found_by_its_column(name):
    assert of_column(name) == OWN[name]()


@EVERY
def test_evaluate_gives_the_mean_the_standard_error_and_the_draws(stages_with, values, name):
    stages = stages_with(name)
    found, own = evaluated(stages), values[name]
    n, b = len(own), 50
    assert found.metrics[f"{name}/all"] == pytest.approx(own.mean(), rel=1e-6)
    assert found.metrics[f"{name}/se"] == pytest.approx(own.std(ddof=1) * np.sqrt((1 - b / n) / b), rel=1e-6)
    batches = [own[stages.plan.batch(0, i).indices].mean() for i in range(60)]
    np.testing.assert_allclose(found.draws[name], batches, rtol=1e-6)
    assert OWN[name]().words.split()[0] in said(found)


@EVERY
def test_coverage_judges_the_intervals_of_its_kind(stages_with, values, name):
    stages, own = stages_with(name), values[name]
    Coverage().check(stages)
    result = Coverage().answer(stages)
    frame = result.tables["coverage.csv"].set_index("interval")
    members = accuracy.MEMBERS if name == "is_sure" else loss.MEMBERS
    assert set(frame.index) <= set(members)
    assert {"wilson"} <= set(frame.index) if name == "is_sure" else {"t", "betting"} <= set(frame.index)
    assert result.metrics[f"{name}/all"] == pytest.approx(own.mean(), rel=1e-6)
    if name != "is_sure":
        held = 0
        for i in range(60):
            batch = own[stages.plan.batch(0, i).indices]
            half = stats.t.ppf(0.975, 49) * batch.std(ddof=1) * np.sqrt((1 - 50 / len(own)) / 50)
            held += abs(batch.mean() - own.mean()) <= half
        assert frame.loc["t", "coverage"] == pytest.approx(held / 60)
        bound = 1.0 if name == "top_error" else own.max()
        assert frame.loc["betting", "method"].startswith(f"betting, values up to {bound:.4g}")
    told = [note for note in result.notes if "guaranteed intervals" in note]
    assert bool(told) == (name == "squared_logit")


@EVERY
def test_plan_finds_the_rows_by_the_normal_formula(stages_with, values, name):
    within = {"loss_within": 2.0 if name == "squared_logit" else 0.02, "accuracy_within": 0.03}
    study, stages = PlanStudy(**within, check_draws=50), stages_with(name)
    study.check(stages)
    found, own = study.answer(stages), values[name]
    tolerance = within["accuracy_within" if name == "is_sure" else "loss_within"]
    simple = (stats.norm.ppf(0.975) / tolerance) ** 2 * own.var()
    assert found.metrics[f"{name}/n"] == np.rint(simple / (1 + simple / len(own)))
    assert f"{name}/within" in found.metrics
    assert of_column(name).tolerance(tolerance) in said(found)
    assert len(found.figures["plan"].axes) == 1


@EVERY
def test_plan_takes_a_pilot(stages_with, name):
    study = PlanStudy(loss_within=2.0 if name == "squared_logit" else 0.02, pilot=200)
    stages = stages_with(name)
    study.check(stages)
    assert study.answer(stages).metrics[f"{name}/n"] > 1


@EVERY
def test_designs_give_the_variance_ratio(stages_with, values, name):
    result = Designs().answer(stages_with(name, design="with_replacement"))
    own, labels = values[name], stages_with(name).rows.labels
    frame = result.tables["designs.csv"].set_index("design")
    assert frame.loc["with_replacement", "variance_ratio"] == pytest.approx(1.0)
    assert set(frame["metric"]) == {name}
    assert f"For the {of_column(name).words}" in result.summary
    assert len(result.figures["designs"].axes) == 1
    # By class and in proportion; the sizes of the strata are rounded.
    inside = sum((labels == c).mean() * own[labels == c].var() for c in range(10))
    assert frame.loc["stratified_label", "variance_ratio"] == pytest.approx(own.var() / inside, rel=0.1)


@BOUNDED
def test_until_stops_at_an_interval_that_holds_the_mean(stages_with, values, name):
    study, stages = Until(loss_within=0.05, accuracy_within=0.06), stages_with(name)
    study.check(stages)
    found, own = study.answer(stages), values[name]
    evaluated_rows = int(found.metrics["rows/evaluated"])
    assert 50 < evaluated_rows < len(own)
    first = own[study.order(stages)[:evaluated_rows]]
    assert found.metrics[f"{name}/mean"] == pytest.approx(first.mean(), rel=1e-6)
    assert found.metrics[f"{name}/low"] <= own.mean() <= found.metrics[f"{name}/high"]
    assert found.metrics[f"{name}/half_width"] <= (0.06 if name == "is_sure" else 0.05)
    assert len(found.figures["until"].axes) == 1
    assert f"the {of_column(name).words} within ±" in Until(max_rows=60).answer(stages).summary


def test_until_refuses_a_metric_without_a_bound_with_its_reason(stages_with):
    with pytest.raises(BadInput, match=r"metrics with a largest value.*found squared_logit, which has none"):
        Until().check(stages_with("squared_logit"))


def test_a_guaranteed_interval_refuses_a_metric_without_a_bound(stages_with):
    pair = interval_family.MEMBERS["by_metric"](loss.MEMBERS["betting"](cap=10.0), accuracy.MEMBERS["wilson"]())
    with pytest.raises(BadInput, match=r"interval/loss=betting must have a metric whose values have a bound"):
        pair.of(SquaredLogit())
    assert pair.of(TopError()).cap == 1.0
    assert pair.of(IsSure()) is pair.accuracy


@EVERY
def test_compare_tests_the_paired_differences(stages_with, digits_parts, values, name):
    stages, study = stages_with(name), Compare(direction=Gradient(), step=STEP)
    study.check(stages)
    dataset, network = digits_parts[0], as_network(digits_parts[1])
    other = moved(network, study.direction.of(network, stages), STEP)
    logits = other.from_stored(dataset.scale)(dataset.inputs)
    differences = OWN[name]().values(logits, dataset.labels, gives="logits") - values[name]
    result = study.answer(stages)
    assert result.metrics[f"{name}/difference"] == pytest.approx(differences.mean(), rel=1e-3, abs=1e-12)
    if name == "is_sure":
        gained, lost = (differences > 0).sum(), (differences < 0).sum()
        assert (result.metrics[f"{name}/gained"], result.metrics[f"{name}/lost"]) == (gained, lost)
        p = stats.binomtest(int(gained), int(gained + lost)).pvalue
        assert result.metrics[f"{name}/mcnemar_p"] == pytest.approx(p)
        assert result.tables[f"compare_{name}.csv"]["rows"].sum() == len(dataset)
    else:
        expected = stats.ttest_1samp(differences, 0.0)
        assert result.metrics[f"{name}/p"] == pytest.approx(expected.pvalue, rel=1e-2)
        low, high = expected.confidence_interval(0.95)
        assert result.metrics[f"{name}/difference_low"] == pytest.approx(low, rel=1e-2)
        assert result.metrics[f"{name}/difference_high"] == pytest.approx(high, rel=1e-2)
    assert f"the {of_column(name).words}" in result.summary


def test_a_share_by_unequal_chances_is_counted_from_one(stages_with, values):
    stages = stages_with("is_sure")
    scores, _ = stages.scores()
    plan = changed(stages_with("is_sure", design="importance")).plan
    off = values["is_sure"] - 1.0
    # The residuals of e_i off_i on e_i, each with its chance p_i, for the expansion e_i = 1/(N p_i), over b.
    e, p = plan.expansion, plan.chances
    slope = np.cov(e * off, e, aweights=p)[0, 1] / np.cov(e, aweights=p)
    variance = np.cov(e * off - slope * e, aweights=p, ddof=0) / 50
    assert ScoredUnits(scores, stages.units, plan).error_variance("is_sure") == pytest.approx(variance, rel=1e-9)
    simple = SimplePlan(len(off), 50)
    assert ScoredUnits(scores, stages.units, simple).error_variance("is_sure") > 0


def test_the_metrics_stand_together_with_loss_and_accuracy_first(stages_with):
    stages = stages_with("top_error", "is_sure", "accuracy", "loss")
    for study in (Coverage(), PlanStudy(check_draws=0), Designs(), Until()):
        result = study.answer(stages)
        shown = said(result)
        assert [name in shown for name in ("loss", "top error", "is sure")] == [True] * 3
        assert "nan" not in shown.split()
    result = Compare(direction=Gradient(), step=STEP).answer(stages)
    assert result.shown.headings[1] == "loss difference,\nnats"
    headings = [heading for table in [result.shown, *result.further] for heading in table.headings]
    assert "is sure,\npoints" in headings
    assert dataclasses.is_dataclass(stages.metrics["top_error"])
    assert list(stages.metrics) == ["loss", "accuracy", "top_error", "is_sure"]
