"""Places that an option names for output: tried before the work, and named when they fail."""

import errno

import pytest

from pipeline.errors import BadInput, Failed
from pipeline.runtime.places import refuse_unwritable_folder, written_for


@pytest.mark.parametrize("name", ["there", "new", "new/er"])
def test_a_folder_that_can_be_written_to_is_allowed_and_nothing_is_left_in_it(tmp_path, name):
    (tmp_path / "there").mkdir()
    refuse_unwritable_folder(tmp_path / name, "study.output")
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


@pytest.mark.parametrize("name", ["file", "file/below", "l" * 300])
def test_what_can_be_no_folder_is_one_line_that_names_the_option(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"^study\.output must .* found.*: name another$") as refused:
        refuse_unwritable_folder(tmp_path / name, "study.output")
    assert len(str(refused.value)) < 400
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_is_a_failure_and_a_closed_one_a_wrong_request(tmp_path):
    with (
        pytest.raises(Failed, match=r"study\.to must name a place with room; found: full"),
        written_for("study.to", tmp_path),
    ):
        raise OSError(errno.ENOSPC, "full")
    with pytest.raises(BadInput, match=r"study\.to must name a place that can be"), written_for("study.to", tmp_path):
        raise OSError(errno.EROFS, "read-only", str(tmp_path / "a"))


def test_an_error_of_another_file_is_not_blamed_on_the_place(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"), written_for("study.to", tmp_path / "out"):
        raise FileNotFoundError(errno.ENOENT, "gone", "/elsewhere/a")
