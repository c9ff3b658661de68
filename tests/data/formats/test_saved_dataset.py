"""Folders as `datasets.save_to_disk` writes them; tests/written.py writes the same files with pyarrow alone."""

import json

import numpy as np
import pytest

from pipeline.data.formats.open_table import open_table
from pipeline.data.formats.saved_dataset import is_saved_dataset
from pipeline.errors import BadInput
from tests import written as tables

COLUMNS = tables.predictions(np.random.default_rng(2), n=41)


def test_the_rows_of_all_shards_are_read_in_the_order_that_the_state_lists(tmp_path):
    tables.saved_dataset(tmp_path / "rows", COLUMNS, shards=3)
    source = open_table(str(tmp_path / "rows"))
    np.testing.assert_array_equal(source.column("label"), COLUMNS["label"])
    np.testing.assert_array_equal(source.column("logits"), COLUMNS["logits"])
    assert source.where(13) == f"row 0 of {tmp_path}/rows/data-00001-of-00003.arrow"


def test_files_that_the_state_does_not_list_are_no_rows(tmp_path):
    tables.saved_dataset(tmp_path / "rows", COLUMNS)
    # `Dataset.map` leaves its cache in the folder.
    tables.stream(tmp_path / "rows" / "cache-0123456789abcdef.arrow", tables.arrow({"other": np.arange(9)}))
    assert len(open_table(str(tmp_path / "rows"))) == 41


def test_a_column_of_class_labels_knows_the_names_of_its_classes(tmp_path):
    tables.saved_dataset(tmp_path / "rows", COLUMNS, class_names={"label": ["cat", "dog", "owl"], "gone": ["a", "b"]})
    columns = open_table(str(tmp_path / "rows")).columns
    assert columns["label"].class_names == ("cat", "dog", "owl")
    assert columns["logits"].class_names is None
    assert "gone" not in columns


@pytest.mark.parametrize("names", [[], ["one"], ["a", "a"], [1, 2], None, "ab"])
def test_names_that_tell_no_classes_apart_are_left_out(tmp_path, names):
    tables.saved_dataset(tmp_path / "rows", COLUMNS, class_names={"label": names or []})
    path = tmp_path / "rows" / "dataset_info.json"
    path.write_text(json.dumps({"features": {"label": {"names": names, "_type": "ClassLabel"}}}))
    assert open_table(str(tmp_path / "rows")).columns["label"].class_names is None


def test_the_split_is_chosen_by_its_name(tmp_path):
    other = COLUMNS | {"label": COLUMNS["label"][::-1].copy()}
    tables.saved_splits(tmp_path / "rows", {"train": COLUMNS, "validation": other})
    found = open_table(str(tmp_path / "rows"), "validation")
    np.testing.assert_array_equal(found.column("label"), other["label"])
    assert found.name == "rows validation"
    assert open_table(str(tmp_path / "rows"), "train").digest != found.digest
    for split in ("test", "../train", ""):
        with pytest.raises(BadInput, match=r"data\.split must be one of the splits of .*, train, validation; found "):
            open_table(str(tmp_path / "rows"), split)
    # A split's own folder is a data set too.
    assert open_table(str(tmp_path / "rows" / "train")).digest == open_table(str(tmp_path / "rows"), "train").digest


def test_a_single_split_needs_no_name(tmp_path):
    tables.saved_splits(tmp_path / "rows", {"train": COLUMNS})
    assert open_table(str(tmp_path / "rows")).digest == open_table(str(tmp_path / "rows"), "train").digest
    tables.saved_dataset(tmp_path / "one", COLUMNS)
    with pytest.raises(BadInput, match=r"data\.split must be test for .*one, which is one data set .*; found train"):
        open_table(str(tmp_path / "one"), "train")


def _without(name):
    return lambda folder: (folder / name).unlink()


def _with(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def _cut(folder):
    shard = folder / "data-00001-of-00002.arrow"
    shard.write_bytes(shard.read_bytes()[:-200])


DAMAGED = {
    "a shard that is missing": (
        _without("data-00001-of-00002.arrow"),
        r"rows must hold the 2 files that its state\.json lists; found no data-00001-of-00002\.arrow: copy the whole",
    ),
    "a shard cut short": (_cut, r"data-00001-of-00002\.arrow must be a whole Arrow stream"),
    "an empty shard": (_with("data-00000-of-00002.arrow", b""), r"data-00000.* must start as an Arrow stream .* no b"),
    "a state that is no JSON": (_with("state.json", b"{"), r"state\.json must be a JSON file that can be read; found"),
    "a state of another kind": (_with("state.json", b"[]"), r"state\.json must hold a JSON object; found \[\]"),
    "a state without files": (_with("state.json", b"{}"), r"state\.json must list the files of the rows, _data_files"),
    "files elsewhere": (
        _with("state.json", b'{"_data_files": [{"filename": "../../secret.arrow"}]}'),
        r"state\.json must list the files of the rows",
    ),
    "files that are none": (_with("state.json", b'{"_data_files": ["a", 1]}'), r"state\.json must list the files"),
    "indices": (
        _with("state.json", b'{"_data_files": [{"filename": "a"}], "_indices_data_files": [{"filename": "b"}]}'),
        r"rows must hold the rows in their order; found indices into others: save it again",
    ),
    "types that are no JSON": (_with("dataset_info.json", b"\xff"), r"dataset_info\.json must be a JSON file"),
    "types of another kind": (_with("dataset_info.json", b'{"features": [1]}'), r"must map columns to their types"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "says"), DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_folder_is_refused_in_one_line(tmp_path, damage, says):
    tables.saved_dataset(tmp_path / "rows", COLUMNS)
    damage(tmp_path / "rows")
    with pytest.raises(BadInput, match=says) as caught:
        open_table(str(tmp_path / "rows")).column("label")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("splits", [b'{"splits": ["../a"]}', b'{"splits": []}', b'{"splits": "train"}', b"{}"])
def test_splits_that_are_no_names_are_refused(tmp_path, splits):
    tables.saved_splits(tmp_path / "rows", {"train": COLUMNS})
    (tmp_path / "rows" / "dataset_dict.json").write_bytes(splits)
    with pytest.raises(BadInput, match=r"dataset_dict\.json must list the splits by name; found "):
        open_table(str(tmp_path / "rows"), "train")


def test_a_split_whose_folder_is_missing_is_refused(tmp_path):
    tables.saved_splits(tmp_path / "rows", {"train": COLUMNS})
    (tmp_path / "rows" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(BadInput, match=r"rows must hold a folder test with state\.json; found none: save it again"):
        open_table(str(tmp_path / "rows"))


def test_an_address_is_no_saved_folder(tmp_path):
    tables.saved_dataset(tmp_path / "rows", COLUMNS)
    assert is_saved_dataset(str(tmp_path / "rows"))
    assert not is_saved_dataset(f"file://{tmp_path}/rows")


def test_a_state_of_another_program_makes_no_saved_folder(tmp_path):
    (tmp_path / "state.json").write_text("{}")
    tables.parquet(tmp_path / "rows.parquet", COLUMNS)
    assert not is_saved_dataset(str(tmp_path))
    assert len(open_table(str(tmp_path))) == 41


def test_without_its_types_a_saved_folder_has_no_names_and_is_read(tmp_path):
    tables.saved_dataset(tmp_path / "rows", COLUMNS, class_names={"label": ["a", "b", "c"]})
    (tmp_path / "rows" / "dataset_info.json").unlink()
    assert open_table(str(tmp_path / "rows")).columns["label"].class_names is None
