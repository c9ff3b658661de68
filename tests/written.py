"""A table written in every format that is read."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq


def stream(path, table, rows=1000):
    """An Arrow table as a stream, as `datasets` writes its shards: by default 1,000 rows a batch."""
    with pa.OSFile(str(path), "wb") as file, ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)


def saved_dataset(path, columns, shards=2, class_names=None, split=None, rows=7):
    """A folder as `datasets.Dataset.save_to_disk` of Hugging Face writes it, with the classes' names by column."""
    path.mkdir(parents=True)
    whole = arrow(columns)
    names = [f"data-{i:05}-of-{shards:05}.arrow" for i in range(shards)]
    for i, name in enumerate(names):
        # Contiguous shards, the first ones longer by a row where the rows do not divide.
        start, stop = (j * len(whole) // shards for j in (i, i + 1))
        stream(path / name, whole.slice(start, stop - start), rows)
    features = {field.name: {"dtype": str(field.type), "_type": "Value"} for field in whole.schema}
    features |= {name: {"names": list(classes), "_type": "ClassLabel"} for name, classes in (class_names or {}).items()}
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    (path / "dataset_info.json").write_text(json.dumps(info, indent=2))
    state = {
        "_data_files": [{"filename": name} for name in names],
        "_fingerprint": "0123456789abcdef",
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }
    (path / "state.json").write_text(json.dumps(state, indent=2))


def saved_splits(path, splits, **options):
    """A folder as `DatasetDict.save_to_disk` writes it: a saved data set for each split."""
    path.mkdir()
    for split, columns in splits.items():
        saved_dataset(path / split, columns, split=split, **options)
    (path / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))


def named(columns):
    """Lists as one column a number, as formats without lists have them: logits as logits_0 …"""
    found = {}
    for name, values in columns.items():
        if values.ndim == 1:
            found[name] = values
        else:
            found |= {f"{name}_{i}": values[:, i] for i in range(values.shape[1])}
    return found


def arrow(columns):
    """Arrays as an Arrow table, with lists."""
    made = {}
    for name, values in columns.items():
        if values.ndim == 1:
            made[name] = pa.array(values)
        else:
            ends = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
            made[name] = pa.ListArray.from_arrays(ends, values.ravel())
    return pa.table(made)


def parquet(path, columns, rows=7):
    pq.write_table(arrow(columns), path, row_group_size=rows)


def wide_parquet(path, columns, rows=7):
    pq.write_table(arrow(named(columns)), path, row_group_size=rows)


def parquet_folder(path, columns, rows=7):
    path.mkdir()
    whole = arrow(columns)
    for i, start in enumerate(range(0, len(whole), rows)):
        pq.write_table(whole.slice(start, rows), path / f"part-{i:03}.parquet")


def arrow_file(path, columns, rows=7, compression=None):
    whole = arrow(columns)
    options = ipc.IpcWriteOptions(compression=compression)
    with ipc.new_file(str(path), whole.schema, options=options) as writer:
        writer.write_table(whole, max_chunksize=rows)


def feather(path, columns, rows=7):
    arrow_file(path, columns, rows, compression="zstd")


def lines_of(columns, delimiter):
    flat = named(columns)
    rows = zip(*(values.tolist() for values in flat.values()), strict=True)
    return [delimiter.join(flat), *(delimiter.join(str(value) for value in row) for row in rows)]


def csv(path, columns):
    path.write_text("\n".join(lines_of(columns, ",")) + "\n")


def tsv(path, columns):
    # Neither a last line's end nor the kind of end may matter.
    path.write_bytes("\r\n".join(lines_of(columns, "\t")).encode())


def packed_csv(path, columns):
    path.write_bytes(gzip.compress(("\n".join(lines_of(columns, ",")) + "\n\n").encode(), mtime=0))


def json_lines(path, columns):
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    path.write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))


def packed_json_lines(path, columns):
    json_lines(path, columns)
    path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def npz(path, columns):
    np.savez(path, **columns)


def npy_folder(path, columns):
    path.mkdir()
    for name, values in columns.items():
        np.save(path / f"{name}.npy", values)


FORMATS = {
    "a.parquet": parquet,
    "wide.pq": wide_parquet,
    "folder": parquet_folder,
    "a.arrow": arrow_file,
    "a.feather": feather,
    "a.csv": csv,
    "a.tsv": tsv,
    "a.csv.gz": packed_csv,
    "a.jsonl": json_lines,
    "a.ndjson.gz": packed_json_lines,
    "a.npz": npz,
    "arrays": npy_folder,
    "stream.arrow": lambda path, columns: stream(path, arrow(columns), rows=7),
    "saved": saved_dataset,
}


def write(folder, name, columns):
    """Write columns in a format of `FORMATS`; return the path."""
    FORMATS[name](folder / name, columns)
    return str(folder / name)


def predictions(rng, n=40, k=3):
    """Logits in float32, which go through text unharmed where they are read back as such, and labels."""
    return {"logits": rng.normal(size=(n, k)).astype(np.float32), "label": rng.integers(0, k, n)}
