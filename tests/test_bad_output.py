"""What does not fit is refused before training; what fails half-way leaves nothing behind."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import make_spec, run
from test_bad_input import SPEC, check, listing

import sheetnet
from sheetnet import engine, staging
from sheetnet.errors import LimitError, OutputError
from sheetnet.spec import Spec
from sheetnet.workbook import package

ROOM = 1_048_572
"""Visits below the four header rows of Train."""


class Trained(Exception):  # noqa: N818 - no error: it says that training began
    pass


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training would take hours: its beginning is all that is wanted."""

    def blocks(*_: object) -> Iterator[Any]:
        raise Trained

    monkeypatch.setattr(engine, "blocks", blocks)


def refused(tmp_path: Path, layers: list[dict[str, Any]], **extra: Any) -> str:
    spec = make_spec(layers=layers, folder=tmp_path, **extra)
    before = listing(tmp_path)
    with pytest.raises(LimitError) as caught:
        sheetnet.export(spec, tmp_path / "b.xlsx")
    assert listing(tmp_path) == before
    return str(caught.value)


def script(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each takes memory of its own
        capture_output=True,
        text=True,
        check=False,
    )


SMALL = [{"activation": "sigmoid"}]


@pytest.mark.usefixtures("untrained")
def test_too_many_visits(tmp_path: Path) -> None:
    message = refused(tmp_path, SMALL, epochs=ROOM // 4 + 1)
    assert str(ROOM) in message
    assert f"{ROOM // 4} epochs" in message  # what would fit, and does:
    with pytest.raises(Trained):
        sheetnet.export(make_spec(layers=SMALL, epochs=ROOM // 4), tmp_path / "b.xlsx")


@pytest.mark.usefixtures("untrained")
def test_too_many_visits_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SPEC)
    before = listing(tmp_path)
    result = run("export", tmp_path / "s.toml", "-o", tmp_path / "b.xlsx", "--epochs", 1_000_000)
    check(result.exit_code, result.stdout, result.stderr, "4000000", str(ROOM), "262143 epochs")
    assert listing(tmp_path) == before


@pytest.mark.usefixtures("untrained")
def test_too_many_columns(tmp_path: Path) -> None:
    hidden = [{"units": 150}, {"units": 150}, {"activation": "sigmoid"}]
    message = refused(tmp_path, hidden)
    assert "16384" in message
    assert "fewer units" in message


@pytest.mark.usefixtures("untrained")
def test_too_many_inputs(tmp_path: Path) -> None:
    """More than Data has room for; of fewer the ledger goes over several sheets."""

    def wide(count: int) -> Spec:
        names = ",".join(f"x{i}" for i in range(count))
        (tmp_path / "wide.csv").write_text(f"{names},y\n{'1,' * count}0\n{'2,' * count}1\n")
        return make_spec(source="wide.csv", data={"target": "y"}, layers=SMALL, folder=tmp_path)

    with pytest.raises(LimitError, match=r"16384.* inputs"):
        sheetnet.export(wide(17_000), tmp_path / "b.xlsx")
    with pytest.raises(Trained):
        sheetnet.export(wide(6_000), tmp_path / "b.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["wide.csv"]


@pytest.mark.usefixtures("untrained")
def test_too_long_a_formula(tmp_path: Path) -> None:
    # A sum backwards names two cells for each unit of the layer after.
    def hidden(units: int) -> list[dict[str, Any]]:
        return [{"units": 2}, {"units": units}, {"activation": "sigmoid"}]

    message = refused(tmp_path, hidden(450))
    assert "8192" in message
    assert "fewer units" in message
    with pytest.raises(Trained):
        sheetnet.export(make_spec(layers=hidden(300)), tmp_path / "b.xlsx")


@pytest.mark.skipif(sys.platform != "linux", reason="memory cannot be limited there")
@pytest.mark.parametrize(
    ("spec", "words"),
    [(SPEC.replace("units = 2", "units = 1_000_000_000"), "16,?384"),
     (SPEC.replace('"toy:xor"', '"toy:line"\nrows = 1_000_000_000'), r"1,?048,?5\d\d")],
    ids=["units", "rows"],
)  # fmt: skip
def test_refused_before_memory_is_taken_for_it(tmp_path: Path, spec: str, words: str) -> None:
    (tmp_path / "s.toml").write_text(spec)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "from sheetnet.cli import main; main(['export', 's.toml'])\n"
    )
    done = script(code, tmp_path)
    check(done.returncode, done.stdout, done.stderr)
    assert re.search(words, done.stderr), done.stderr
    assert len(list(tmp_path.iterdir())) == 1


# --- places that cannot be written


def test_a_folder_that_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.toml").write_text(SPEC)
    # As root all is allowed, so the answer is made up.
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    result = run("export", tmp_path / "s.toml", "-o", tmp_path / "b.xlsx")
    check(result.exit_code, result.stdout, result.stderr, "not writable", str(tmp_path))
    assert os.listdir(tmp_path) == ["s.toml"]  # noqa: PTH208


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, where nobody can write")
def test_a_folder_where_nobody_can_write(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SPEC)
    result = run("export", tmp_path / "s.toml", "-o", "/proc/self/b.xlsx")
    check(result.exit_code, result.stdout, result.stderr, "/proc/self")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_or_a_device_is_not_replaced(tmp_path: Path) -> None:
    # As root, --force -o /dev/null would replace the device by a workbook.
    pipe = tmp_path / "b.xlsx"
    os.mkfifo(pipe)
    with pytest.raises(OutputError):
        sheetnet.export(make_spec(), pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


# --- failures half-way


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "b.xlsx"
    path.write_bytes(b"the old workbook")
    return path


def failing(monkeypatch: pytest.MonkeyPatch, fail: Callable[[], None]) -> None:
    """Let the stream of rows fail after its first piece."""
    whole = package.row_xml

    def row_xml(*given: Any) -> Iterator[bytes]:
        for piece in whole(*given):
            yield piece
            fail()

    monkeypatch.setattr(package, "row_xml", row_xml)


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(FULL, 2, "No space left"), (MemoryError(), 2, "memory"), (KeyboardInterrupt(), 130, ""),
     (AssertionError("a bug"), 1, "")],
    ids=["disk full", "memory", "interrupt", "bug"],
)  # fmt: skip
def test_a_failure_while_writing(
    old: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, words: str
) -> None:
    spec = old.with_name("s.toml")
    spec.write_text(SPEC)
    before = listing(old.parent)
    failing(monkeypatch, raising(error))
    result = run("export", spec, "-o", old, "--force")
    assert (result.exit_code, result.stdout) == (status, "")
    if status == 2:
        check(status, "", result.stderr, words)
    assert listing(old.parent) == before
    old.unlink()
    result = run("export", spec, "-o", old)  # nor is a new one begun
    assert os.listdir(old.parent) == ["s.toml"]  # noqa: PTH208


def test_the_file_is_open_elsewhere(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Windows does not replace a workbook that Excel has open.
    monkeypatch.setattr(os, "replace", lambda *_: raising(PermissionError(13, "in use"))())
    before = listing(old.parent)
    with pytest.raises(OutputError, match="in use"):
        sheetnet.export(make_spec(), old)
    assert listing(old.parent) == before


def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "b.xlsx"
    failing(monkeypatch, lambda: target.write_bytes(b"somebody else's") and None)
    with pytest.raises(OutputError, match="--force"):
        sheetnet.export(make_spec(), target, overwrite=False)
    assert listing(tmp_path) == {"b.xlsx": b"somebody else's"}


def test_file_systems_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_unnamed", lambda _: None)
    monkeypatch.setattr(os, "link", lambda *_: raising(OSError(errno.EPERM, "no links"))())
    sheetnet.export(make_spec(), tmp_path / "b.xlsx", overwrite=False)
    assert list(listing(tmp_path)) == ["b.xlsx"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
@pytest.mark.parametrize("how", ["kill", "disk"])
def test_a_real_end_half_way(old: Path, how: str) -> None:
    """Killed, or out of space: what was there stays, and a full disk leaves no litter."""
    end = (
        "import os, resource; from sheetnet.workbook import package as p; whole = p.row_xml\n"
        "def row_xml(*given):\n"
        "    for piece in whole(*given):\n"
        "        yield piece\n"
        f"        {'os.kill(os.getpid(), 9)' if how == 'kill' else 'pass'}\n"
        "p.row_xml = row_xml\n"
        f"{'' if how == 'kill' else 'resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))'}\n"
        "from sheetnet.cli import main; main(['export', 's.toml', '-o', 'b.xlsx', '--force'])\n"
    )
    old.with_name("s.toml").write_text(SPEC + "[training]\nepochs = 300\n")
    done = script(end, old.parent)
    assert old.read_bytes() == b"the old workbook"
    if how == "kill":
        assert done.returncode == -signal.SIGKILL
    else:
        check(done.returncode, done.stdout, done.stderr, "large")
        assert len(list(old.parent.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_permissions(tmp_path: Path) -> None:
    """A new workbook has those of any new file, a replaced one keeps its own."""
    book, plain = tmp_path / "b.xlsx", tmp_path / "plain"
    plain.touch()
    sheetnet.export(make_spec(), book)
    assert book.stat().st_mode == plain.stat().st_mode
    book.chmod(0o640)
    sheetnet.export(make_spec(), book)
    assert stat.S_IMODE(book.stat().st_mode) == 0o640
