"""Writing all or nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import make_spec, run
from test_bad_input import SPEC, check, listing

import sheetnet
from sheetnet import owned, staging
from sheetnet.errors import OutputError
from sheetnet.output import check_target, in_place_of, write_files, write_text


@pytest.fixture(autouse=True, params=["nameless", "by name"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How files come to be; where the system has none without a name it is one way only."""
    if request.param == "by name":
        monkeypatch.setattr(staging, "_unnamed", lambda _: None)
    return str(request.param)


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


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a").write_text("old")
    (tmp_path / "a").symlink_to(Path("far") / "a")
    write_text(tmp_path / "a", "new", overwrite=True)
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "far" / "a").read_text() == "new"
    assert len(list((tmp_path / "far").iterdir())) == 1


@pytest.mark.parametrize("name", ["数" * 83 + ".xlsx", "ü" * 125 + ".xlsx", "x" * 250 + ".xlsx"])
def test_names_as_long_as_the_system_has_them(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "new", overwrite=False)
    write_text(tmp_path / name, "newer", overwrite=True)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, "newer")]


def test_several_files_are_all_there_before_one_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("old")
    files = {tmp_path / name: b"new" for name in "ab"}
    moved = staging.Staged.move

    def fail(staged: staging.Staged, *, overwrite: bool) -> None:
        if staged.path.name == "b":
            raise OSError(28, "No space left on device")
        moved(staged, overwrite=overwrite)

    monkeypatch.setattr(staging.Staged, "move", fail)
    with pytest.raises(OutputError, match=r"b cannot be written \(No space"):
        write_files(files, overwrite=True)
    assert listing(tmp_path) == {"a": b"old"}
    files[tmp_path / "gone" / "c"] = b"new"
    with pytest.raises(OutputError, match=r"c cannot be written \(the folder .* has vanished"):
        write_files(files, overwrite=True)
    assert listing(tmp_path) == {"a": b"old"}


# --- places where it cannot be, or should not


@pytest.mark.parametrize(
    ("application", "lock"), [("LibreOffice", ".~lock.{}#"), ("Excel", "~${}")]
)
def test_a_file_that_is_open_elsewhere(tmp_path: Path, application: str, lock: str) -> None:
    (tmp_path / "s.toml").write_text(SPEC)
    (tmp_path / "b.xlsx").write_bytes(b"old")
    (tmp_path / lock.format("b.xlsx")).write_text(",ada,desk,26.11.2026 15:00,file:///home/ada;")
    before = listing(tmp_path)
    for command in (("export",), ("exercise",), ("code",)):
        result = run(*command, tmp_path / "s.toml", "-o", tmp_path / "b.xlsx", "--force")
        check(result.exit_code, result.stdout, result.stderr, application, lock.format("b.xlsx"))
    assert listing(tmp_path) == before
    (tmp_path / "b.xlsx").unlink()  # its owner has deleted it: nothing is open any more
    sheetnet.export(make_spec(), tmp_path / "b.xlsx", sheets=["Epochs"])


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SPEC)
    (tmp_path / "b.xlsx").write_bytes(b"old")
    (tmp_path / "b.xlsx").chmod(0o444)
    result = run("export", tmp_path / "s.toml", "-o", tmp_path / "b.xlsx", "--force")
    check(result.exit_code, result.stdout, result.stderr, "read-only")
    assert (tmp_path / "b.xlsx").read_bytes() == b"old"


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    with pytest.raises(OutputError, match=r"b.xlsx cannot be written \(the folder .* has vanished"):
        write_and_lose(folder / "b.xlsx")
    assert listing(tmp_path) == {}


def write_and_lose(path: Path) -> None:
    from sheetnet.output import said

    with said(path), in_place_of(path, overwrite=True) as file:
        file.write(b"new")
        shutil.rmtree(path.parent)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.usefixtures("once")
@pytest.mark.parametrize("command", [("new", "n.toml"), ("train", "s.toml", "--json")])
def test_printing_to_a_full_disk(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "s.toml").write_text(SPEC)
    with Path("/dev/full").open("w") as full:
        line = [sys.executable, "-m", "sheetnet", *command]
        done = subprocess.run(
            line, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    check(done.returncode, "", done.stderr, "No space left")


@pytest.fixture
def once(way: str) -> None:
    """What does not depend on how files come to be is tried once."""
    if way != "nameless":
        pytest.skip("tried already")


# --- what killed runs left


def child(code: str, folder: Path) -> subprocess.Popen[str]:
    """A process that has done something and then waits to be ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}\nprint('ready', flush=True); input()"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def half_way(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is writing a file, and has a folder for its own."""
    process = child(
        "from pathlib import Path; from sheetnet import owned, staging\n"
        "staging._unnamed = lambda _: None\n"
        "s = staging.Staged(Path('b.xlsx')).__enter__(); s.file.write(b'half'); s.file.flush()\n"
        "held = owned.scratch_folder(); (held.__enter__() / 'x').touch()\n",
        tmp_path,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="nothing can be marked there")
def test_what_a_killed_run_left_is_removed_and_nothing_else(
    tmp_path: Path, half_way: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in (".c.xlsx.abcdefgh.part", ".b.xlsx.mine.part", "b.xlsx.abcdefgh.part"):
        (tmp_path / name).write_text("somebody's")
    (tmp_path / "sheetnet-examples").mkdir()
    (tmp_path / "sheetnet-abcdefgh").mkdir()  # without a mark: of somebody else

    def next_run() -> set[str]:
        write_text(tmp_path / "b.xlsx", "new", overwrite=True)
        with owned.scratch_folder():
            pass
        return set(listing(tmp_path))

    of_it = {
        name for name in listing(tmp_path) if re.search(r"b\.xlsx\.\w{8}\.part|sheetnet-", name)
    }
    of_it -= {"b.xlsx.abcdefgh.part", "sheetnet-examples", "sheetnet-abcdefgh"}
    assert len(of_it) == 4  # the file, the folder, what is in it
    assert of_it <= next_run()  # its owner runs
    half_way.kill()
    half_way.wait()
    left = next_run()
    assert not of_it & left
    assert left == {".c.xlsx.abcdefgh.part", ".b.xlsx.mine.part", "b.xlsx.abcdefgh.part",
                    "sheetnet-examples", "sheetnet-abcdefgh", "b.xlsx"}  # fmt: skip


@pytest.mark.usefixtures("once")
@pytest.mark.skipif(sys.platform == "win32", reason="children without parents go on there")
def test_a_helping_process_ends_with_its_parent(tmp_path: Path) -> None:
    helper = (
        "import os, sys, time; from sheetnet.owned import end_with; end_with(int(sys.argv[1]))\n"
        "open('begun', 'w').close(); time.sleep(60)"
    )
    process = child(
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {helper!r}, str(os.getpid())])\n"
        "while not os.path.exists('begun'): time.sleep(0.01)",
        tmp_path,
    )
    process.kill()
    process.communicate(timeout=20)  # the helper holds the other end of our pipe


@pytest.mark.usefixtures("once")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_something_swallows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """openpyxl has bare excepts: what it raises instead is no error of the run."""

    def raising(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(number)
        except:  # noqa: E722
            raise TypeError("expected something else") from None

    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("ignored where the tests were started, as nohup does")
    monkeypatch.setattr("sheetnet.load_spec", raising)
    kept = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    result = run("train", tmp_path / "s.toml")
    assert (result.exit_code, result.stderr) == (128 + number, "Stopped.\n")
    assert kept == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]


def test_a_short_work_is_not_disturbed() -> None:
    done = []
    # Ignored where the tests were started in the background.
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), owned.undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("to the end")
    finally:
        signal.signal(signal.SIGINT, kept)
    assert done == ["to the end"]


@pytest.mark.usefixtures("once")
@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_ended_at_random_moments() -> None:
    """A small part of what the script does; see its table."""
    script = Path(__file__).with_name("crash.py")
    writers = ("export", "export, by name", "code")
    line = [sys.executable, str(script), "--count", "3", "--seed", "1"]
    done = subprocess.run(
        [*line, *(f"--writer={name}" for name in writers)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout.count("SIGKILL") == len(writers)
    assert done.stdout.endswith("broken: 0\n")
