"""Predictions in every format are the arrays that were written, and what is wrong with them is said in one line."""

import gzip
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from pipeline.data.predictions import Predictions
from pipeline.data.streamed import Streamed
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.records.rows import Dataset
from pipeline.scoring.rows import score
from tests import written as tables

IN_MEMORY, ON_DISK = 1 << 28, 0
FINITE = st.floats(-1e6, 1e6, width=32)
TABLES = st.integers(1, 25).flatmap(
    lambda n: st.integers(2, 4).flatmap(
        lambda k: st.fixed_dictionaries(
            {
                "logits": nps.arrays(np.float32, (n, k), elements=FINITE),
                "label": nps.arrays(np.int64, n, elements=st.integers(0, k - 1)),
            }
        )
    )
)


@pytest.mark.parametrize("name", list(tables.FORMATS))
@settings(max_examples=6)
@given(columns=TABLES, data=st.data())
def test_any_table_in_any_format_is_the_arrays_in_memory_and_on_disk(name, columns, data):
    with tempfile.TemporaryDirectory() as folder:
        path = tables.write(Path(folder), name, columns)
        kept, streamed = (Predictions(path=path, memory=memory).load() for memory in (IN_MEMORY, ON_DISK))
        assert isinstance(kept, Dataset)
        assert isinstance(streamed, Streamed)
        assert kept.digest == streamed.digest
        assert kept.n_classes == streamed.n_classes == columns["logits"].shape[1]
        np.testing.assert_array_equal(kept.inputs.astype(np.float32), columns["logits"])
        np.testing.assert_array_equal(kept.labels, columns["label"])
        np.testing.assert_array_equal(streamed.labels, columns["label"])
        shards = [list(streamed.read(shard)) for shard in range(len(streamed.bounds) - 1)]
        assert [sum(len(block.inputs) for block in shard) for shard in shards] == np.diff(streamed.bounds).tolist()
        np.testing.assert_array_equal(np.concatenate([b.inputs for shard in shards for b in shard]), kept.inputs)
        rows = np.array(data.draw(st.lists(st.integers(0, len(kept) - 1), max_size=30)), dtype=np.int64)
        np.testing.assert_array_equal(streamed.take(rows).inputs, kept.inputs[rows])
        if len(rows):
            np.testing.assert_array_equal(streamed.take(rows).labels, kept.labels[rows])


def good(n=20, k=3):
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(n, k))
    exponents = np.exp(logits)
    return {"logits": logits, "label": rng.integers(0, k, n)}, exponents / exponents.sum(axis=1, keepdims=True)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


LOGITS, CHANCES = good()
SCORES = {"loss": CHANCES[:, 0], "correct": (CHANCES[:, 0] > 0.5) * 1.0}


def logits(value):
    """The good logits but for row 7."""
    return {**LOGITS, "logits": changed(LOGITS["logits"], 7 if np.ndim(value) else (7, 1), value)}


def label(value):
    return {**LOGITS, "label": changed(LOGITS["label"], 7, value)}


def chances(row):
    return {"probabilities": changed(CHANCES, 7, row), "label": LOGITS["label"]}


def scores(name, value):
    return {name: changed(SCORES[name], 7, value)}


MASKED = r" \(-inf: data\.masked=true allows it for an impossible class\)"
ONE = {"probability": changed(CHANCES[:, 0], 7, 1.5), "label": np.arange(20) % 2}
TWICE = {**LOGITS, "id": changed(np.arange(20), 7, 3)}
# {7} stands for the name of row 7.
WRONG = {
    "NaN": (logits(np.nan), {}, "must be finite; found nan in {7}"),
    "inf": (logits(np.inf), {}, "must be finite; found inf in {7}"),
    "-inf": (logits(-np.inf), {}, f"must be finite; found -inf{MASKED} in {{7}}"),
    "all masked": (logits([-np.inf] * 3), {"masked": True}, "must be finite; found -inf.* in {7}"),
    "no sum of 1": (chances([0.5, 0.25, 0.3]), {}, r"found a sum of 1\.05, \+0\.05 off, in {7}"),
    "below 0": (chances([0.5, -0.25, 0.75]), {}, r"must be 0 to 1; found -0\.25 in {7}"),
    "above 1": (ONE, {}, r"probability must be 0 to 1; found 1\.5 in {7}"),
    "a label too large": (label(3), {}, "label must hold classes 0 … 2 \\(there are 3\\); found 3 in {7}"),
    "a label below 0": (label(-1), {}, "label must hold classes 0 … 2 \\(there are 3\\); found -1 in {7}"),
    "an id twice": (TWICE, {"id": "id"}, "id must name each row once; found 3 in {3} and again in {7}"),
    "a loss below 0": (scores("loss", -0.5), {}, r"loss must be 0 nats or more; found -0\.5 in {7}"),
    "a loss that is none": (scores("loss", np.nan), {}, "loss must be 0 nats or more; found nan in {7}"),
    "a value that is none": (
        scores("loss", np.nan),
        {"value": "loss"},
        "loss must be a finite number; found nan in {7}",
    ),
    "an infinite value": (
        scores("loss", -np.inf),
        {"value": "loss"},
        "loss must be a finite number; found -inf in {7}",
    ),
    "half right": (scores("correct", 0.5), {}, "correct must be true or false, or 1 or 0; found 0.5 in {7}"),
}


def written_as(says, name, path):
    """The expected words, with each {row} as the file's own name for it."""
    for row in (3, 7):
        where = f"row {row} of {path}"
        if "csv" in name or "tsv" in name:
            where = f"line {row + 2} of {path}"
        if "json" in name:
            where = f"line {row + 1} of {path}"
        says = says.replace(f"{{{row}}}", where)
    return says


@pytest.mark.parametrize("memory", [IN_MEMORY, ON_DISK])
@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl"])
@pytest.mark.parametrize(("columns", "named", "says"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_value_is_named_with_file_and_row_when_it_is_scored(tmp_path, name, columns, named, says, memory):
    path = tables.write(tmp_path, name, columns)
    data = Predictions(path=path, memory=memory, **named)
    with pytest.raises(BadInput, match=written_as(says, name, path)) as caught:
        score(Given().build(data), data.load())
    assert str(caught.value).isprintable()


UNSUITABLE = {
    "labels of text": (pa.array(["a", "b"]), r"the label column 'label' of .*p\.parquet must hold class numbers"),
    "labels with a point": (
        pa.array([0.0, 0.5]),
        r"label must hold classes, as whole numbers or texts; found 0\.5 in row 1",
    ),
    "labels in lists": (pa.array([[0], [1]]), r"the label column 'label' of .* must hold one class a row"),
    "a label missing": (
        pa.array([0, None]),
        r"'label' must have a value in every row; found none in row 1 of .*p\.par",
    ),
}


@pytest.mark.parametrize(("labels", "says"), UNSUITABLE.values(), ids=list(UNSUITABLE))
def test_labels_that_are_no_classes_are_refused(tmp_path, labels, says):
    pq.write_table(pa.table({"logits": [[0.0, 1.0], [1.0, 0.0]], "label": labels}), tmp_path / "p.parquet")
    with pytest.raises(BadInput, match=says):
        Predictions(path=str(tmp_path / "p.parquet")).load()


def test_a_text_where_a_number_should_be_is_named_with_file_line_and_column(tmp_path):
    (tmp_path / "p.csv").write_text("logit_0,logit_1,label\n0.5,1,0\n0.5,much,1\n")
    says = r"the column 'logit_1' of .*p\.csv must hold numbers; found text, first much in line 3: give logits as numb"
    with pytest.raises(BadInput, match=says):
        Predictions(path=str(tmp_path / "p.csv")).load()
    (tmp_path / "p.csv").write_text("logit_0,logit_1,label\n0.5,1,0\n0.5,1,cat\n")
    with pytest.raises(
        BadInput, match=r"the label column 'label' of .*p\.csv must hold .*; found text, first cat in li"
    ):
        Predictions(path=str(tmp_path / "p.csv")).load()


@pytest.mark.parametrize(
    "labels", [np.array([0, 1], t) for t in ("i1", "u1", "i2", "u4", "u8")] + [np.array([False, True])]
)
def test_labels_of_every_whole_type_are_classes(tmp_path, labels):
    pq.write_table(pa.table({"logits": [[0.0, 1.0], [1.0, 0.0]], "label": labels}), tmp_path / "p.parquet")
    found = Predictions(path=str(tmp_path / "p.parquet")).load()
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == [0, 1]


def test_a_single_row_group_of_many_rows_is_read_in_blocks(tmp_path):
    n = 1 << 18
    pq.write_table(
        pa.table({f"logit_{i}": np.zeros(n) for i in range(8)} | {"label": np.zeros(n, int)}),
        tmp_path / "p.parquet",
        row_group_size=n,
    )
    streamed = Predictions(path=str(tmp_path / "p.parquet"), memory=ON_DISK).load()
    assert len(streamed.bounds) == 2
    sizes = [len(block.inputs) for block in streamed.read(0)]
    assert sum(sizes) == n
    assert max(sizes) <= 1 << 17


def test_a_flipped_bit_is_refused_where_the_file_has_checksums(tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(
        tables.arrow(tables.predictions(np.random.default_rng(5), n=2000)),
        path,
        write_page_checksum=True,
        compression=None,
        use_dictionary=False,
    )
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        BadInput, match=r"p\.parquet must be a whole Parquet file; found in row group 0: .*: write it a"
    ):
        Predictions(path=str(path)).load()


def test_a_shard_cut_short_is_named_among_the_others(tmp_path):
    folder = tmp_path / "rows"
    tables.parquet_folder(folder, tables.predictions(np.random.default_rng(5)))
    part = folder / "part-003.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(BadInput, match=r"part-003\.parquet must be a whole Parquet file; found"):
        Predictions(path=str(folder)).load()


def test_a_packed_text_that_breaks_off_is_refused(tmp_path):
    content = gzip.compress(b"probability,label\n" + b"0.5,1\n" * 1000)
    (tmp_path / "p.csv.gz").write_bytes(content[:-10])
    with pytest.raises(BadInput, match=r"p\.csv\.gz must be a whole file; found after line \d+: .*: get it again"):
        Predictions(path=str(tmp_path / "p.csv.gz")).load()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"path": None}, r"data\.path must name a file of predictions; found none"),
        ({"one_hot": True}, r"data\.one_hot must be false for data=predictions"),
        ({"tolerance": 1.0}, r"data\.tolerance must be at least 0 and below 1, such as 0\.001; found 1\.0"),
        (
            {"unit": "ms"},
            r"data\.unit must go with data\.value=COLUMN, whose unit it is; found ms alone: add data\.value",
        ),
        (
            {"value": "x", "unit": "m\ns"},
            r"data\.unit must be a text such as ms, of at most 20 .*; found 'm s': shorten",
        ),
        ({"value": "x", "unit": ""}, r"data\.unit must be a text such as ms"),
        ({"memory": -1}, r"data\.memory must be at least 0 bytes; found -1"),
        ({"id": "struct"}, r"data\.id=struct must be a column of .*; found struct<a: int64>: name another"),
        ({"id": "none"}, r"data\.id=none must be a column of .* with one value a row; found logits, label, struct"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(tmp_path, changes, says):
    table = pa.table({"logits": [[0.0, 1.0]], "label": [0], "struct": [{"a": 1}]})
    pq.write_table(table, tmp_path / "p.parquet")
    with pytest.raises(BadInput, match=says):
        Predictions(**{"path": str(tmp_path / "p.parquet"), **changes}).load()


def test_there_is_but_one_split(tmp_path):
    path = tables.write(tmp_path, "a.parquet", LOGITS)
    with pytest.raises(
        BadInput, match=r"data\.split must be test for data=predictions, which has no other; found train"
    ):
        Predictions(path=path).load_split("train")


def test_a_file_that_was_written_again_is_read_again(tmp_path):
    path = tables.write(tmp_path, "a.npz", LOGITS)
    before = Predictions(path=path).load()
    tables.write(tmp_path, "a.npz", {**LOGITS, "logits": LOGITS["logits"] + 1})
    after = Predictions(path=path).load()
    assert before.digest != after.digest
    np.testing.assert_array_equal(after.inputs, LOGITS["logits"] + 1)


def written_probabilities(path, off):
    rows = np.full((40, 4), 0.25)
    rows[7, 0] += off
    pd.DataFrame({"probabilities": list(rows), "label": np.arange(40) % 4}).to_parquet(path)
    return str(path)


@pytest.mark.parametrize("memory", [0, 1 << 28])
def test_the_tolerance_of_a_sum_is_the_one_that_is_asked_for(tmp_path, memory):
    path = written_probabilities(tmp_path / "p.parquet", 0.01)
    data = Predictions(path=path, tolerance=0.05, memory=memory)
    assert score(Given().build(data), data.load()).loss[7] == pytest.approx(-np.log(0.25), abs=0.2)
    with pytest.raises(
        BadInput, match=r"must sum to 1 within data\.tolerance=0\.001; found a sum of 1\.01, \+0\.01 off"
    ):
        score(Given().build(data), Predictions(path=path, memory=memory).load())


def test_what_is_allowed_of_a_row_is_in_the_digest_for_its_scores_are_kept_by_it(tmp_path):
    path = written_probabilities(tmp_path / "p.parquet", 0.0)
    found = {Predictions(path=path, **asked).load().digest for asked in ({}, {"tolerance": 0.01}, {"masked": True})}
    assert len(found) == 3


def test_a_file_that_is_replaced_in_the_same_process_is_another(tmp_path):
    for path in (tmp_path / "p.parquet", tmp_path / "folder" / "0.parquet"):
        path.parent.mkdir(exist_ok=True)
        data = Predictions(path=str(path if path.parent == tmp_path else path.parent))
        written_probabilities(path, 0.0)
        before = data.rows("test")
        assert data.rows("test") is before
        written_probabilities(path, 0.0005)
        os.utime(path, ns=(1, 1))
        after = data.rows("test")
        assert after.digest != before.digest
        assert after.inputs[7, 0] == 0.2505


def test_a_signalling_nan_among_probabilities_of_one_class_is_named_with_its_row(tmp_path):
    one = np.full(20, 0.75)
    one.view(np.uint64)[7] = 0x7FF0000000000001
    path = tmp_path / "predictions.parquet"
    pq.write_table(pa.table({"label": np.arange(20) % 2, "probability": one}), path)
    with pytest.raises(BadInput, match=r"found nan in .*row 7"):
        Predictions(path=str(path)).load()


@pytest.mark.parametrize(
    "columns", [{"logit_cat": [1.0, 2.0], "logit_dog": [0.0, 3.0]}, {"prediction": ["dog", "cat"]}]
)
def test_rows_without_labels_are_read_where_they_may_be_without(tmp_path, columns):
    path = tmp_path / "p.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    rows = Predictions(path=str(path)).unlabelled().load()
    assert rows.labels is None
    assert rows.class_names == ("cat", "dog")
    assert len(rows.take(np.array([1])).inputs) == 1


def test_labels_beyond_64_bits_with_sign_are_refused_where_only_scores_are_read(tmp_path):
    labels = np.array([1, 1 << 63], np.uint64)
    pq.write_table(pa.table({"loss": [0.1, 0.2], "label": labels}), tmp_path / "a.parquet")
    with pytest.raises(
        BadInput, match=r"label must hold whole numbers below 2\^63; found 9223372036854775808 in row 1"
    ):
        Predictions(path=str(tmp_path / "a.parquet")).load()


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_text_that_is_cut_between_two_lines_is_a_shorter_file_and_one_cut_within_a_line_is_refused(tmp_path, ending):
    frame = pd.DataFrame({"label": ["cat", "dog"] * 10, "probability_cat": 0.25, "probability_dog": 0.75})
    text = frame.to_csv(index=False) if ending == "csv" else frame.to_json(orient="records", lines=True)
    lines = text.splitlines(keepends=True)
    path = tmp_path / f"p.{ending}"
    path.write_text("".join(lines[:-5]))
    assert len(Predictions(path=str(path)).load()) == 15
    path.write_text("".join(lines[:-5]) + lines[-5][:10])
    with pytest.raises(BadInput, match=rf"line {len(lines) - 4} of .*p\.{ending}"):
        Predictions(path=str(path)).load()
