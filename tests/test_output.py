"""Writing all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheetnet.errors import OutputError
from sheetnet.output import check_target, in_place_of, write_text


def test_text_as_it_is(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "größe\n", overwrite=False)
    assert (tmp_path / "a").read_bytes() == "größe\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    file.chmod(0o640)
    with pytest.raises(OutputError, match="exists: use --force"):
        write_text(file, "new", overwrite=False)
    assert file.read_text() == "old"
    write_text(file, "new", overwrite=True)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError), in_place_of(file, overwrite=True) as out:
        out.write(b"half")
        raise ZeroDivisionError
    assert file.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_targets_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    for path, message in (
        (tmp_path / "none" / "a", "there is no folder"),
        (tmp_path, "is a folder"),
        (Path("/dev/null"), "is a device or a pipe"),
        (tmp_path / "there", "exists: use --force"),
    ):
        with pytest.raises(OutputError, match=message):
            check_target(path, overwrite=False)
    check_target(tmp_path / "new", overwrite=False, read=[tmp_path / "there"])
    with pytest.raises(OutputError, match="is read by the run"):
        check_target(tmp_path / "there", overwrite=True, read=[tmp_path / "there"])
