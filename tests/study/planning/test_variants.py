"""The designs side by side: each once and configurable as it says, and what each asks for."""

import dataclasses

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from pipeline import config, sampling
from pipeline.errors import BadInput
from pipeline.proxy.confidence import Confidence
from pipeline.proxy.entropy import Entropy
from pipeline.study.planning.variants import Watched, is_told_by_sample, needs_proxy, variants
from tests.populations import frame_of, some_scores

MEMBERS = sampling.MEMBERS


def test_every_design_of_the_same_units_is_there_and_keys_and_words_tell_them_apart(stages_of):
    found = variants(stages_of(), with_ideal=True)
    assert {v.sampling.name for v in found} == {name for name, part in MEMBERS.items() if not part.has_own_units}
    assert len({v.key for v in found}) == len({v.words for v in found}) == len(found)


@pytest.mark.parametrize("design", ["without_replacement", "importance"])
def test_the_configured_design_is_marked_once_where_it_stands(stages_of, design):
    (own,) = (v for v in variants(stages_of(design=design)) if v.is_configured)
    assert own.sampling == MEMBERS[design]()


def test_a_configured_design_of_its_own_settings_comes_first(stages_of):
    stages = stages_of(design=MEMBERS["importance"](mix=0.3))
    first, *others = variants(stages)
    assert (first.key, first.is_configured) == ("importance_as_set", True)
    assert first.sampling.mix == 0.3
    assert first.frame is stages.frame
    assert not any(v.is_configured for v in others)


def test_importance_is_tried_with_the_two_proxies_that_cost_the_same(stages_of):
    found = [v for v in variants(stages_of()) if v.sampling.name == "importance"]
    assert [(v.key, type(v.proxy), v.has_own_proxy) for v in found] == [
        ("importance_confidence", Confidence, False),
        ("importance_entropy", Entropy, True),
    ]
    assert not np.array_equal(found[0].frame.guess().difficulty, found[1].frame.guess().difficulty)


def test_the_overrides_configure_exactly_the_variant(stages_of):
    config.register()
    found = variants(stages_of(), with_ideal=True)
    with initialize_config_dir(config.CONF, version_base="1.3"):
        for variant in found:
            experiment = config.to_experiment(compose("config", overrides=variant.overrides.split()))
            assert experiment.sampling == variant.sampling
            assert experiment.proxy == variant.proxy


def test_the_ideal_is_a_pilot_of_all_rows(stages_of):
    stages = stages_of()
    plain, more = variants(stages), variants(stages, with_ideal=True)
    ideal = {v.key: v for v in more}.keys() - {v.key for v in plain}
    assert ideal == {f"{v.key}_ideal" for v in plain if getattr(v.sampling, "allocation", "") == "neyman"}
    assert {v.sampling.pilot for v in more if v.key in ideal} == {len(stages.rows)}


@pytest.mark.parametrize(
    ("design", "is_needed"),
    [
        (MEMBERS["with_replacement"](), False),
        (MEMBERS["without_replacement"](), False),
        (MEMBERS["stratified"](by="label"), False),
        (MEMBERS["stratified"](by="proxy"), True),
        (MEMBERS["importance"](), True),
        (MEMBERS["systematic"](order="stored"), False),
        (MEMBERS["systematic"](order="proxy"), True),
        (MEMBERS["difference"](), True),
    ],
    ids=str,
)
def test_whether_a_design_needs_the_proxy_is_told_without_making_it(design, is_needed):
    assert needs_proxy(design, frame_of(some_scores(200))) is is_needed


def test_what_a_sample_says_soundly_leaves_out_orders_and_unequal_chances():
    frame = frame_of(some_scores(400))
    told = {
        words
        for words, design in {
            "plain": MEMBERS["without_replacement"](),
            "labels": MEMBERS["stratified"](by="label"),
            "neyman": MEMBERS["stratified"](by="label", allocation="neyman"),
            "order": MEMBERS["systematic"](order="stored"),
            "chances": MEMBERS["importance"](),
        }.items()
        if is_told_by_sample(design, design.plan(frame, 40))
    }
    assert told == {"plain", "labels"}


def test_a_watched_frame_looks_a_pilot_up_and_remembers_what_was_asked(stages_of):
    stages = stages_of()
    scores, _ = stages.scores()
    watch = Watched(stages.frame, scores, stages.units)
    assert (watch.is_asked, watch.pilot_rows) == (False, 0)
    pilot = watch.frame.score(np.array([5, 2, 9]))
    np.testing.assert_array_equal(pilot.loss, scores.loss[[5, 2, 9]])
    assert (watch.is_asked, watch.pilot_rows) == (False, 3)
    watch.frame.guess()
    assert watch.is_asked


def test_a_design_that_the_population_does_not_allow_is_refused():
    unlabelled = dataclasses.replace(frame_of(some_scores(50)), read_labels=lambda: None)
    with pytest.raises(BadInput, match="label"):
        needs_proxy(MEMBERS["stratified"](by="label"), unlabelled)
