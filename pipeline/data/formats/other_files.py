"""Kinds of files that are often tried and are not read: what each is, and how to write it as one that is."""

from __future__ import annotations

from ...errors import BadInput, brief

_TO_PARQUET = "('NAME').to_parquet('STEM.parquet')"
_ARRAYS = "write its arrays with numpy.savez('STEM.npz', logits=…, label=…)"
_TRUSTED = "a pickle can run any program, so none is opened; if you trust it, "

# The endings of a kind, what such a file is, and what to do.
_KINDS = {
    (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"): (
        "a spreadsheet",
        "pandas.read_excel('NAME').to_csv('STEM.csv', index=False), or in Excel: File, Save As, CSV UTF-8",
    ),
    (".pkl", ".pickle"): ("a pickle", f"{_TRUSTED}pandas.read_pickle{_TO_PARQUET}"),
    (".joblib",): ("a pickle", f"{_TRUSTED}load it with joblib.load, and {_ARRAYS}"),
    (".pt", ".pth"): ("a file of PyTorch", f"load it with torch.load('NAME', weights_only=True), and {_ARRAYS}"),
    (".safetensors",): ("tensors", f"load it with safetensors.numpy.load_file('NAME'), and {_ARRAYS}"),
    (".mat",): ("a file of MATLAB", f"load it with scipy.io.loadmat('NAME'), and {_ARRAYS}"),
    (".json",): ("JSON", f"pandas.read_json{_TO_PARQUET}; if each line is an object, rename it to STEM.jsonl"),
    (".txt", ".dat", ".tab"): (
        "a text",
        "rename it to STEM.csv if commas stand between its columns, to STEM.tsv if tabs",
    ),
    (".h5", ".hdf5", ".hdf"): ("HDF5", f"pandas.read_hdf{_TO_PARQUET}"),
    (".orc",): ("ORC", f"pandas.read_orc{_TO_PARQUET}"),
    (".dta",): ("a file of Stata", f"pandas.read_stata{_TO_PARQUET}"),
    (".sav",): ("a file of SPSS", f"pandas.read_spss{_TO_PARQUET}"),
    (".sas7bdat", ".xpt"): ("a file of SAS", f"pandas.read_sas{_TO_PARQUET}"),
    (".rds", ".rdata", ".rda"): ("a file of R", "in R: arrow::write_parquet(table, 'STEM.parquet')"),
    (".db", ".sqlite", ".sqlite3", ".duckdb"): (
        "a database",
        "pandas.read_sql('select …', connection).to_parquet('STEM.parquet')",
    ),
    (".eval",): ("a log of Inspect", "choose data=inspect"),
    (".tar.gz", ".tgz", ".tar", ".zip", ".bz2", ".xz", ".zst", ".7z"): ("packed", "unpack it, and name what is inside"),
}


def refuse_known_kind(name: str) -> None:
    """Raise if a file, by the ending of its name, is of a kind that can be written as a table that is read.

    Raises
    ------
    BadInput
        With what to do.
    """
    for endings, (what, remedy) in _KINDS.items():
        ending = next((each for each in endings if name.lower().endswith(each)), None)
        if ending is not None:
            shown = remedy.replace("NAME", brief(name)).replace("STEM", brief(name[: -len(ending)]))
            raise BadInput(f"data.path must name a table, such as Parquet or CSV; found {brief(name)}, {what}: {shown}")
