import shutil

import numpy as np
import pytest

from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput
from tests import written as tables

COLUMNS = tables.predictions(np.random.default_rng(0))


@pytest.mark.parametrize("name", list(tables.FORMATS))
def test_every_format_has_the_rows_that_were_written(tmp_path, name):
    source = open_table(tables.write(tmp_path, name, COLUMNS))
    assert len(source) == 40
    np.testing.assert_array_equal(source.column("label"), COLUMNS["label"])
    if "logits" in source.columns:
        found = source.column("logits")
    else:
        found = np.stack([source.column(f"logits_{i}") for i in range(3)], axis=1)
    np.testing.assert_array_equal(found.astype(np.float32), COLUMNS["logits"])


@pytest.mark.parametrize("name", list(tables.FORMATS))
def test_the_digest_is_that_of_the_content(tmp_path, name):
    (tmp_path / "other").mkdir()
    (tmp_path / "changed").mkdir()
    one = open_table(tables.write(tmp_path, name, COLUMNS))
    same = open_table(tables.write(tmp_path / "other", name, COLUMNS))
    other = open_table(tables.write(tmp_path / "changed", name, COLUMNS | {"label": COLUMNS["label"][::-1]}))
    if name != "a.npz":  # A zip file holds the time at which it was written.
        assert one.digest == same.digest
    assert one.digest != other.digest


def test_an_unknown_ending_is_refused_with_those_that_are_read(tmp_path):
    (tmp_path / "rows.docx").write_bytes(b"PK")
    says = r"ends in one of \.parquet, \.pq, \.arrow, .*\.csv, \.tsv, \.jsonl, .*; found rows\.docx"
    with pytest.raises(BadInput, match=says):
        open_table(str(tmp_path / "rows.docx"))


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"must name a file or a folder; found none at .*rows\.csv"):
        open_table(str(tmp_path / "rows.csv"))
    with pytest.raises(BadInput, match=r"must hold files ending in \.parquet or .*; found none"):
        open_table(str(tmp_path))


def test_a_folder_of_two_kinds_is_refused(tmp_path):
    tables.csv(tmp_path / "a.csv", COLUMNS)
    tables.parquet(tmp_path / "b.parquet", COLUMNS)
    with pytest.raises(BadInput, match=r"must hold files of one kind; found a\.csv and b\.parquet"):
        open_table(str(tmp_path))


def test_two_npz_files_are_two_tables(tmp_path):
    for name in "ab":
        tables.npz(tmp_path / f"{name}.npz", COLUMNS)
    with pytest.raises(BadInput, match=r"must hold one npz file, which is a table of its own; found 2: name one"):
        open_table(str(tmp_path))


@pytest.mark.parametrize("name", list(tables.FORMATS))
def test_a_table_without_rows_is_refused(tmp_path, name):
    none = {"logits": COLUMNS["logits"][:0], "label": COLUMNS["label"][:0]}
    with pytest.raises(BadInput, match=r"must hold (at least one row; found none|files ending)"):
        open_table(tables.write(tmp_path, name, none))


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.arrow", "a.csv", "a.csv.gz", "a.tsv", "a.jsonl", "a.jsonl.gz", "a.npz", "a.npy"]
)
def test_an_empty_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(BadInput, match=name.replace(".", r"\.")) as caught:
        open_table(str(tmp_path / name))
    assert "\n" not in str(caught.value)


CUT = ["a.parquet", "a.arrow", "stream.arrow", "a.feather", "a.csv.gz", "a.ndjson.gz", "a.npz"]


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", CUT)
def test_a_file_cut_short_anywhere_is_refused_by_name(tmp_path, name, share):
    path = tmp_path / name
    tables.write(tmp_path, name, COLUMNS)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BadInput, match=rf"{name} must "):
        open_table(str(path)).column("label")


@pytest.mark.parametrize("name", ["logits.npy", "label.npy"])
def test_an_npy_file_cut_short_is_refused_by_name(tmp_path, name):
    path = tables.write(tmp_path, "arrays", COLUMNS)
    file = tmp_path / "arrays" / name
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(BadInput, match=rf"{name} must hold the \d+ bytes that its shape .* declares; found \d+"):
        open_table(path)


@pytest.mark.parametrize("name", ["a.arrow", "a.csv", "a.ndjson.gz"])
def test_a_file_in_a_store_is_read_and_named_by_its_address(tmp_path, name):
    fsspec = pytest.importorskip("fsspec")
    tables.write(tmp_path, name, COLUMNS)
    fsspec.filesystem("memory").pipe(f"/bucket/{name}", (tmp_path / name).read_bytes())
    source = open_table(f"memory://bucket/{name}")
    np.testing.assert_array_equal(source.column("label"), COLUMNS["label"])
    assert source.where(9).endswith(f" of memory://bucket/{name}")


@pytest.mark.parametrize("name", ["a.npz", "arrays"])
def test_arrays_are_read_from_this_machine_alone(tmp_path, name):
    with pytest.raises(
        BadInput, match=r"must be named by (its|their) path on this machine.*; found file://.*, or give P"
    ):
        open_table(f"file://{tables.write(tmp_path, name, COLUMNS)}")


@pytest.mark.parametrize("ending", ["parquet", "arrow", "npy"])
def test_a_file_that_is_replaced_while_it_is_read_is_refused(tmp_path, ending):
    columns = {"x": np.arange(10.0), "label": np.arange(10)}
    write = {"parquet": tables.parquet, "arrow": tables.arrow_file, "npy": tables.npy_folder}[ending]
    path = tmp_path / ("rows" if ending == "npy" else f"rows.{ending}")
    write(path, columns)
    source = open_table(str(path))
    assert source.column("x").tolist() == columns["x"].tolist()
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    write(path, columns | {"x": np.arange(10.0) + 1})
    with pytest.raises(BadInput, match=r"rows.* must stay as it is while it is read; found it changed: start again"):
        source.column("x")


def test_what_is_generated_is_no_data(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    (tmp_path / "mlruns" / "artifacts").mkdir(parents=True)
    tables.parquet(tmp_path / "rows.parquet", {"x": np.arange(3.0)})
    tables.parquet(tmp_path / "mlruns" / "artifacts" / "draws.parquet", {"y": np.arange(5.0)})
    assert open_table(str(tmp_path)).column("x").tolist() == [0, 1, 2]
    assert len(open_table(str(tmp_path / "mlruns"))) == 5
