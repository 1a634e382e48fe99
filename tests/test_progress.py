"""How far it is: told to who asks, shown on a terminal after a while, and ended cleanly."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import make_spec

import sheetnet
from sheetnet.commands import progress as bars

EXAMPLES = Path(__file__).parent.parent / "examples"
QUICK = "import sheetnet.commands.progress as p; p.PATIENCE = 0.0\n"
SLOW = """
import signal, threading

signal.signal(signal.SIGINT, signal.default_int_handler)
from sheetnet import engine

steps = engine.steps

def slow(*arguments, **extra):
    for block in steps(*arguments, **extra):
        yield block
        print("a block", flush=True)
        threading.Event().wait(30)

engine.steps = slow
"""
RUN = "from sheetnet.cli import main\nmain()\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "net.toml"
    path.write_text((EXAMPLES / "xor.toml").read_text())
    return path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_all_of_it_is_told(tmp_path: Path) -> None:
    """Each call says more than the one before, and the last one says all."""
    told: dict[str, list[tuple[int, int]]] = {"train": [], "export": [], "window": [], "verify": []}
    spec = make_spec(epochs=9)
    path, window = tmp_path / "whole.xlsx", tmp_path / "window.xlsx"
    sheetnet.train(spec, progress=lambda *n: told["train"].append(n))
    sheetnet.export(spec, path, progress=lambda *n: told["export"].append(n))
    sheetnet.export(
        spec, window, from_visit=21, visits=9, progress=lambda *n: told["window"].append(n)
    )
    sheetnet.verify(path, perturb=True, progress=lambda *n: told["verify"].append(n))
    for calls in told.values():
        shares = [done / total for done, total in calls]
        assert shares == sorted(set(shares)) and shares[-1] == 1
    assert told["train"] == [(36, 36)]
    assert told["verify"] == [(n, 6) for n in range(7)]
    assert len(told["export"]) > 3 and len(told["window"]) > 2


def test_it_appears_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where nothing is told: a recalculation says nothing until it is done."""
    monkeypatch.setattr(bars, "PATIENCE", 0.05)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with bars.progress_bar("counting") as tell:
        tell(1, 4)
        assert terminal.getvalue() == ""
        time.sleep(0.5)
        assert "counting" in terminal.getvalue() and "25%" in terminal.getvalue()
        tell(4, 4)
        assert "100%" in terminal.getvalue()
    shown = terminal.getvalue()
    assert shown.endswith("\n") or "\x1b[?25h" in shown  # the cursor is there again
    terminal.truncate(0)
    monkeypatch.setattr(bars, "PATIENCE", 60.0)
    with bars.progress_bar("counting") as tell:
        tell(4, 4)
    assert terminal.getvalue().strip("\0") == ""


def shown_by(folder: Path, *arguments: str) -> tuple[str, bytes]:
    """What a terminal shows of stderr, and stdout."""
    ours, theirs = pty.openpty()
    line = [sys.executable, "-c", QUICK + RUN, *arguments]
    with subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, stderr=theirs) as process:
        assert process.stdout is not None
        output = process.stdout.read()
    os.write(theirs, b".")  # so that there is something to read
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert process.returncode == 0
    return shown, output


@pytest.mark.parametrize(
    ("label", "arguments"),
    [
        ("training", ["train", "net.toml"]),
        ("writing", ["export", "net.toml", "--force"]),
        ("training", ["tune", "net.toml", "--units", "2,3", "--folds", "2", "--jobs", "1"]),
    ],
    ids=["train", "export", "tune"],
)
def test_on_a_terminal_only(spec: Path, label: str, arguments: list[str]) -> None:
    shown, output = shown_by(spec.parent, *arguments)
    assert label in shown
    line = [sys.executable, "-c", QUICK + RUN, *arguments]
    done = subprocess.run(line, cwd=spec.parent, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (output, b"")


def test_verify_on_a_terminal_only(spec: Path) -> None:
    sheetnet.export(make_spec(epochs=2), spec.parent / "net.xlsx")
    test_on_a_terminal_only(spec, "verifying", ["verify", "net.xlsx"])


@pytest.mark.parametrize("command", ["train", "export"])
def test_ctrl_c(spec: Path, command: str) -> None:
    """Nothing is left behind, and one line says that it stopped."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW + RUN, command, "net.toml"],
        cwd=spec.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"a block\n"
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors.strip()) == (130, b"", b"Stopped.")
    assert [path.name for path in spec.parent.iterdir()] == ["net.toml"]
