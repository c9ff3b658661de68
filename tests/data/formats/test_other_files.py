import pytest

from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput

REMEDIES = {
    "a.xlsx": r"a\.xlsx, a spreadsheet: pandas\.read_excel\('a\.xlsx'\)\.to_csv\('a\.csv', index=False\), or in Excel",
    "A.XLS": r"A\.XLS, a spreadsheet: pandas\.read_excel\('A\.XLS'\)\.to_csv\('A\.csv'",
    "a.pkl": r"a pickle can run any program, .* pandas\.read_pickle\('a\.pkl'\)\.to_parquet\('a\.parquet'\)",
    "a.joblib": r"if you trust it, load it with joblib\.load, and write its arrays with numpy\.savez\('a\.npz'",
    "a.json": r"pandas\.read_json\('a\.json'\)\.to_parquet\('a\.parquet'\); if each line .* rename it to a\.jsonl",
    "a.txt": r"rename it to a\.csv if commas stand between its columns, to a\.tsv if tabs",
    "my.rows.h5": r"pandas\.read_hdf\('my\.rows\.h5'\)\.to_parquet\('my\.rows\.parquet'\)",
    "a.pt": r"torch\.load\('a\.pt', weights_only=True\), and write its arrays with numpy\.savez\('a\.npz'",
    "a.csv.zip": r"a\.csv\.zip, packed: unpack it, and name what is inside",
    "a.eval": r"a log of Inspect: choose data=inspect",
}


@pytest.mark.parametrize(("name", "says"), REMEDIES.items(), ids=list(REMEDIES))
def test_a_file_that_is_often_tried_is_refused_with_what_to_do(tmp_path, name, says):
    (tmp_path / name).write_bytes(b"PK\3\4")
    with pytest.raises(BadInput, match=says) as caught:
        open_table(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_a_name_that_moves_the_cursor_is_shown_without_it(tmp_path):
    (tmp_path / "a\x1b[2J.xlsx").write_bytes(b"")
    with pytest.raises(BadInput, match=r"read_excel\('a\?\[2J\.xlsx'\)"):
        open_table(str(tmp_path / "a\x1b[2J.xlsx"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "a.csv",
            "label;p\n0;1\n",
            r"a\.csv must have commas .* 'label;p': .*read_csv\('a\.csv', sep=';'\)\.to_csv\('a",
        ),
        ("a.csv", "label\tp\n0\t1\n", r"read_csv\('a\.csv', sep='\\t'\)\.to_csv\('a\.csv', index=False\)"),
        ("a.tsv", "label,p\n0,1\n", r"tabs .* sep=','\)\.to_csv\('a\.tsv', sep='\\t', index=False\)"),
        ("a.jsonl", '[{"a": 1}, {"a": 2}]', r"a\.jsonl must hold a JSON object a line; found an array: .*lines=True"),
        ("a.jsonl", '[\n {"a": 1},\n {"a": 2}\n]', r"must hold a JSON object a line; found an array: "),
        ("a.jsonl", '{\n "a": [1, 2]\n}', r"must hold a JSON object a line; found an object of many lines: "),
    ],
)
def test_text_in_another_layout_is_refused_with_the_line_that_writes_it_again(tmp_path, name, content, says):
    (tmp_path / name).write_text(content)
    with pytest.raises(BadInput, match=says):
        open_table(str(tmp_path / name))


def test_one_column_of_its_own_is_no_mistake(tmp_path):
    (tmp_path / "a.csv").write_text("loss\n0.5\n")
    assert open_table(str(tmp_path / "a.csv")).column("loss").tolist() == [0.5]
