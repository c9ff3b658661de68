"""The artifacts of a log are plain files, whose sizes are logged with the run."""

import json
import zlib

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import BadInput
from pipeline.tracking import parquet
from pipeline.tracking.log import Log, content_of, write_artifacts


def test_every_kind_of_artifact_becomes_a_file_that_its_own_library_reads_back(tmp_path):
    table = pd.DataFrame({"loss": [0.1, 1e-300], "name": ["a", "ü"]})
    log = Log(
        tables={"draws.parquet": table, "cells.csv": table},
        texts={"config.yaml": "ü: 1\n"},
        pictures={"error": b"\x89PNG"},
    )
    write_artifacts(tmp_path / "artifacts", log)
    assert {path.name for path in (tmp_path / "artifacts").iterdir()} == {
        "draws.parquet",
        "cells.csv",
        "config.yaml",
        "error.png",
    }
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "artifacts/draws.parquet"), table, check_exact=True)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "artifacts/cells.csv"), table, check_exact=True)
    assert (tmp_path / "artifacts/config.yaml").read_bytes() == "ü: 1\n".encode()
    assert (tmp_path / "artifacts/error.png").read_bytes().startswith(b"\x89PNG")


def test_no_folder_is_made_for_a_log_without_artifacts(tmp_path):
    write_artifacts(tmp_path / "artifacts", Log(metrics={"loss/mean": 1.0}))
    assert list(tmp_path.iterdir()) == []
    assert json.loads(content_of(Log(), tmp_path / "artifacts")["tags"]["artifacts"]) == {}


def test_the_tag_artifacts_lists_every_file_with_its_bytes_and_checksum(tmp_path):
    log = Log(texts={"b.txt": "ü", "a.txt": ""}, tags={"unit": "rows"})
    write_artifacts(tmp_path / "artifacts", log)
    tags = content_of(log, tmp_path / "artifacts")["tags"]
    assert tags["unit"] == "rows"
    assert json.loads(tags["artifacts"]) == {"a.txt": [0, 0], "b.txt": [2, zlib.crc32("ü".encode())]}


def test_a_damaged_table_is_found_by_its_pages_wherever_it_is_read(tmp_path):
    table = pd.DataFrame({"loss": np.random.default_rng(2).random(500)})
    write_artifacts(tmp_path, Log(tables={"draws.parquet": table}))
    path = tmp_path / "draws.parquet"
    content = bytearray(path.read_bytes())
    content[content.index(b"PAR1") + 2000] ^= 4
    path.write_bytes(content)
    with pytest.raises(BadInput, match="must be a whole Parquet file"):
        parquet.read(path)
