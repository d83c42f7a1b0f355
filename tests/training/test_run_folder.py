import re
from pathlib import Path

import pytest

from torchref.errors import InputError
from torchref.training import create_run_folder


def test_the_name_says_when_what_and_which_seed(tmp_path: Path) -> None:
    folder = create_run_folder(tmp_path / "new" / "runs", "iris", "lr0.1_e5", seed=3)
    assert folder.is_dir()
    assert folder.parent == tmp_path / "new" / "runs" / "iris"
    assert re.fullmatch(r"\d{8}-\d{6}_lr0\.1_e5_s3", folder.name)


def test_no_folder_is_given_out_twice(tmp_path: Path) -> None:
    folders = [create_run_folder(tmp_path, "iris", "lr0.1", seed=0) for _ in range(5)]
    assert len(set(folders)) == 5


@pytest.mark.parametrize("below", ["a_file", "a_file/runs"])
def test_a_log_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path, below: str) -> None:
    (tmp_path / "a_file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot be made: Not a directory.*--logdir"):
        create_run_folder(tmp_path / below, "iris", "lr0.1", seed=0)
