"""verdict.json has the keys that docs/gate.md promises, and verdict.md is safe in a comment."""

import dataclasses
import json
import math
import re
from pathlib import Path

import pandas as pd

from pipeline.report.gate_files import as_json, as_markdown
from tests.report.test_gate import AUDIT, BOTH, EXACT, METRICS, judged
from tests.report.test_gate_sequence import STOP

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gate.md"


FIGURES = {"": 0.1, "_low": -0.1, "_high": float("inf"), "_p": 0.3, "_p_holm": 0.6, "_verdict": 3.0}
SLICES = pd.DataFrame(
    [{"slice": "de", "rows": 40.0, **{f"{name}{end}": value for name in METRICS for end, value in FIGURES.items()}}]
)


def keys_of(value, at=""):
    for key, own in value.items():
        yield f"{at}{key}"
        if isinstance(own, dict):
            yield from keys_of(own, f"{at}{key}.")
        elif isinstance(own, list) and own and isinstance(own[0], dict):
            yield from keys_of(own[0], f"{at}{key}[].")


def test_every_key_is_in_the_table_of_the_docs_and_the_other_way_round():
    found = set(keys_of(json.loads(as_json(dataclasses.replace(BOTH, audit=AUDIT, stop=STOP), METRICS, SLICES))))
    # Below these keys stand the metrics.
    found = {key for key in found if not key.startswith(("stop.ranges.", "stop.cut."))}
    documented = set()
    for cell in re.findall(r"^\| ((?:`[\w.\[\]]+`(?:, )?)+) \|", PAGE.read_text("utf-8"), re.MULTILINE):
        documented |= set(re.findall(r"`([\w.\[\]]+)`", cell))
    # The keys of a metric are those at the top.
    assert {key.removeprefix("metrics[].") for key in found} - {
        key.removeprefix("metrics[].") for key in documented
    } == set()
    assert {
        key for key in documented if key.startswith(("metrics[]", "slices[]", "check.", "audit.", "stop.", "baseline."))
    } <= found


def test_the_keys_at_the_top_are_of_the_metric_that_decides():
    found = json.loads(as_json(BOTH, METRICS))
    assert (found["verdict"], found["status"], found["metric"]) == ("worse", 3, "loss")
    assert {key: found[key] for key in ("difference", "low", "high", "p", "margin", "n")} == {
        key: found["metrics"][0][key] for key in ("difference", "low", "high", "p", "margin", "n")
    }
    assert found["baseline"] == {"name": "a.csv", "digest": "1" * 64}


def test_what_does_not_exist_is_null_and_no_number_is_infinite():
    endless = dataclasses.replace(BOTH.findings[1], more=float("inf"), needed=float("inf"), margin=0.0)
    found = json.loads(as_json(judged(endless), METRICS), parse_constant=lambda name: 1 / 0)
    assert (found["more_rows"], found["rows_for_margin"], found["audit"]) == (None, None, None)
    exact = json.loads(as_json(judged(*EXACT, is_exact=True, check=None), METRICS))
    assert (exact["p"], exact["target"], exact["check"]) == (None, "population", None)


def test_the_comment_has_the_sentence_and_a_line_for_each_metric():
    text = as_markdown(BOTH, METRICS)
    assert text.startswith("### Worse\n\nWorse: loss +0.094 nats [+0.072, +0.115], beyond the margin")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == 4
    assert lines[2].endswith("| 0.02 nats | **worse** |")
    assert lines[3].endswith("| 1 point | **undecided** (2,152 more rows) |")
    assert len(text) < 4000


def test_a_name_cannot_break_the_comment():
    text = as_markdown(dataclasses.replace(BOTH, candidate="<img src=x>|@all`#1`_x_", audit=None), METRICS)
    sentence, small = text.splitlines()[2], text.splitlines()[-1]
    assert "\\<img" in sentence
    # A mention is stopped by a space without width, for a backslash would not stop it.
    assert "@\u200ball" in sentence
    # In a code span nothing is markup but its own end, and a backslash would be shown.
    assert "candidate `‹img src=x›¦@all'#1'_x_`" in small


def test_where_it_stopped_is_there_and_what_was_not_planned_is_null():
    nothing = [dataclasses.replace(own, effect=math.nan, needed=math.nan) for own in BOTH.findings]
    stopped = dataclasses.replace(BOTH, findings=tuple(nothing), stop=STOP, check=None)
    found = json.loads(as_json(stopped, METRICS), parse_constant=lambda name: 1 / 0)
    assert (found["stop"]["n"], found["stop"]["of"], found["stop"]["cut"]) == (1_200, 10_000, {"loss": 3})
    assert (found["target"], found["smallest_effect"], found["resolution"]) == ("population", None, None)
    world = dataclasses.replace(stopped, stop=dataclasses.replace(STOP, is_world=True))
    assert json.loads(as_json(world, METRICS))["target"] == "superpopulation"
