import numpy as np
import pandas as pd
import pytest

from pipeline.errors import BadInput
from pipeline.study.labelling.folder import Folder
from pipeline.study.labelling.population import Unlabelled
from pipeline.study.labelling.session import Labelling, shown_path
from tests.study.labelling.test_population import LOGITS, predicted

__all__ = ["predicted"]


@pytest.fixture
def under_way(predicted, tmp_path):
    """A function from columns to a labelling whose first round waits for its labels."""

    def build(show=(), **columns):
        rows = predicted(logits=LOGITS[:500], **columns)
        labelling = Labelling(rows, None, Folder(tmp_path / "f", "digest"), list(show), None)
        test = rows.test(uniform=0.2)
        labelling.choose(test, 20, ["loss"])
        return labelling, test

    return build


def test_what_is_chosen_is_kept_before_anybody_is_asked(under_way):
    labelling, test = under_way()
    (kept,) = labelling.kept()
    np.testing.assert_array_equal(kept.rows, test.open_round.rows)
    assert kept.labels is None
    assert not labelling.fill(test)
    assert labelling.folder.sheet(1).is_file()


def test_rows_go_by_a_column_id_where_there_is_one_else_by_their_numbers(under_way):
    labelling, test = under_way(id=[f"x{i}" for i in range(500)], text=["words"] * 500, show=["text"])
    sheet = labelling.sheet(test.open_round)
    assert sheet.name == "id"
    assert sheet.ids == [f"x{row}" for row in test.open_round.rows]
    assert sheet.shown == {"text": ["words"] * 20}
    labelling, test = under_way()
    assert labelling.sheet(test.open_round).name == "row"


def test_ids_that_name_two_rows_are_refused(under_way):
    labelling, test = under_way(id=["same"] * 500)
    with pytest.raises(BadInput, match="id must name each row once"):
        labelling.sheet(test.open_round)


def test_a_sheet_that_is_filled_in_is_taken_in_the_order_drawn(under_way):
    labelling, test = under_way()
    rows = test.open_round.rows
    labelling.fill(test)
    place = labelling.folder.sheet(1)
    frame = pd.read_csv(place).assign(label=lambda f: f["row"] % 4).sort_values("row")
    frame.to_csv(place, index=False)
    assert labelling.fill(test)
    np.testing.assert_array_equal(test.drawn()[2], rows % 4)
    np.testing.assert_array_equal(labelling.kept()[0].labels, rows % 4)
    assert labelling.table(test)["label"].tolist() == (rows % 4).tolist()


def test_a_sheet_that_is_changed_after_its_labels_were_taken_is_named(under_way):
    labelling, test = under_way()
    labelling.fill(test)
    place = labelling.folder.sheet(1)
    asked = place.read_text()
    place.write_text(asked.replace(",\n", ",1\n"))
    assert labelling.fill(test)
    labelling.choose(test, 20, ["loss"])
    labelling.fill(test)
    assert labelling.changed(test) == []
    for text, found in (
        (asked.replace(",\n", ",1\n", 19).replace(",\n", ",2\n"), [1]),
        (asked.replace(",\n", ",9\n"), [1]),
        (asked, []),
        ("\n".join(sorted(asked.replace(",\n", ",1\n").splitlines(), reverse=True)), []),
    ):
        place.write_text(text)
        assert labelling.changed(test) == found
    place.unlink()
    assert labelling.changed(test) == []
    np.testing.assert_array_equal(labelling.kept()[0].labels, np.ones(20))


def test_rows_that_have_labels_give_them_themselves_and_keep_no_folder(stages_of):
    rows = Unlabelled(stages_of())
    labelling = Labelling(rows, rows.own_labels(), None, [], None)
    test = rows.test(uniform=0.2)
    labelling.choose(test, 30, ["loss", "accuracy"])
    assert labelling.fill(test)
    chosen, _, labels = test.drawn()
    np.testing.assert_array_equal(labels, rows.own_labels()[chosen])


def test_a_path_below_the_current_folder_is_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "a" / "b.csv") == "a/b.csv"
    assert shown_path(tmp_path.parent / "b.csv") == str(tmp_path.parent / "b.csv")
