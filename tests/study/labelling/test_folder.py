import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.estimation.active_testing import Learned, Round
from pipeline.estimation.calibration import Calibration
from pipeline.study.labelling.folder import Folder, copy_until
from pipeline.study.labelling.sheet import Sheet

LEARNED = Learned(Calibration(1.25, 0.01), {"loss": (0.5, 0.5), "accuracy": (1.0,)}, {"loss": 0.3, "accuracy": 0.1})
ROUNDS = [
    Round(np.array([4, 1]), np.array([0.5, 1 / 3]), LEARNED, np.array([2, 0])),
    Round(np.array([3, 0]), np.array([0.1, 0.2]), LEARNED, None),
]
SHEET = Sheet("row", ["3", "0"], 3)


def test_rounds_are_read_back_to_the_last_bit(tmp_path):
    folder = Folder(tmp_path / "new", "digest")
    assert folder.rounds() == []
    folder.keep(ROUNDS)
    for kept, found in zip(ROUNDS, Folder(tmp_path / "new", "digest").rounds(), strict=True):
        np.testing.assert_array_equal(kept.rows, found.rows)
        np.testing.assert_array_equal(kept.chances, found.chances)
        assert kept.learned == found.learned
        assert (kept.labels is None) == (found.labels is None)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["state.json"]


def test_a_sheet_is_written_once_and_never_over_what_a_person_wrote(tmp_path):
    folder = Folder(tmp_path, "digest")
    assert folder.answer(2) is None
    place = folder.ask(2, SHEET)
    assert folder.answer(2) == SHEET.text()
    place.write_text("row,label\n3,1\n0,2\n")
    assert folder.ask(2, SHEET) == place
    assert folder.answer(2) == "row,label\n3,1\n0,2\n"


def test_a_folder_of_other_rows_is_refused_and_stays(tmp_path):
    Folder(tmp_path, "one").keep(ROUNDS)
    before = (tmp_path / "state.json").read_bytes()
    with pytest.raises(BadInput, match=r"must hold the labels of these rows, .* name another folder with study.folder"):
        Folder(tmp_path, "other").rounds()
    assert (tmp_path / "state.json").read_bytes() == before


@pytest.mark.parametrize("text", ["", "{", "[1]", json.dumps({"rounds": []})])
def test_a_damaged_state_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(BadInput, match=r"must (be what study=label wrote|hold the labels of these rows)"):
        Folder(tmp_path, "digest").rounds()


def _without(key):
    return lambda state: state["rounds"][0].pop(key)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda state: state.pop("rounds"), "no 'rounds' in it"),
        (_without("chances"), "no 'chances' in it"),
        (_without("slopes"), "no 'slopes' in it"),
        (lambda state: state.update(rounds=None), "NoneType"),
        (lambda state: state.update(rounds=["x"]), "string"),
        (lambda state: state["rounds"][0].update(slopes=[1]), "list"),
        (lambda state: state["rounds"][0].update(rows=["a", "b"]), "invalid literal"),
        (lambda state: state["rounds"][0].update(rows=[1 << 70, 0]), "too large"),
        (lambda state: state["rounds"][0]["labels"].pop(), "rows, chances and labels do not match"),
    ],
)
def test_a_damaged_state_of_these_rows_is_refused_in_one_line(tmp_path, damage, found):
    Folder(tmp_path, "digest").keep(ROUNDS)
    state = json.loads((tmp_path / "state.json").read_text())
    damage(state)
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(BadInput, match=f"state.json must be what study=label wrote; found .*{found}.*: put it back$"):
        Folder(tmp_path, "digest").rounds()


def test_a_sheet_in_another_encoding_and_a_folder_that_is_a_file_are_refused(tmp_path):
    folder = Folder(tmp_path, "digest")
    folder.sheet(1).write_bytes("row,label\n3,\xe9\n".encode("latin-1"))
    with pytest.raises(BadInput, match="must be a CSV file in UTF-8"):
        folder.answer(1)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match=r"must be a folder with room .*labels that were given are kept"):
        Folder(tmp_path / "file", "digest").keep(ROUNDS)


@pytest.mark.parametrize("is_waiting", [True, False])
def test_a_copy_has_the_rounds_of_its_time_and_the_folder_stays(tmp_path, is_waiting):
    labelled = replace(ROUNDS[0], labels=np.zeros(len(ROUNDS[0].rows), np.int64))
    Folder(tmp_path, "digest").keep([labelled, labelled, labelled])
    before, n = (tmp_path / "state.json").read_bytes(), len(labelled.rows)
    (tmp_path / "copy").mkdir()
    assert copy_until(tmp_path, tmp_path / "copy", given=n, is_waiting=is_waiting) == 3 * n
    copied = Folder(tmp_path / "copy", "digest").rounds()
    assert [each.labels is None for each in copied] == [False, True][: 1 + is_waiting]
    assert (tmp_path / "state.json").read_bytes() == before


def test_a_copy_of_labels_that_are_gone_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"must hold the labels that were given; found no state\.json in it"):
        copy_until(tmp_path / "gone", tmp_path, given=0, is_waiting=False)
    Folder(tmp_path / "other", "digest").keep([])
    with pytest.raises(BadInput, match=r"rounds that end at 0 labels, none at 7: put it back"):
        copy_until(tmp_path / "other", tmp_path, given=7, is_waiting=True)
