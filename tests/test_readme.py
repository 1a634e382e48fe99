"""The README's blocks are run as they stand (its set-up lines are run by .ci/run)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sheetnet.spec import parse_spec

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a user has beside the README; the blocks build on one another."""
    place = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", place / "examples")
    return place


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_are_exactly_two_setup_lines() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("python3 -m venv ")]
    assert len(lines) == 2
    assert lines[0].endswith("verify xor.xlsx") and "pytest" in lines[1]


@pytest.mark.libreoffice
def test_commands_run(folder: Path) -> None:
    commands = [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line and not line.startswith("python3 -m venv ")
    ]
    assert len(commands) >= 7
    for command in commands:
        done = shell(command, folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_python_runs(folder: Path) -> None:
    (script,) = blocks("python")
    (folder / "readme.py").write_text(script)
    done = shell("python readme.py", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("True")


def test_spec_is_valid(folder: Path) -> None:
    (document,) = blocks("toml")
    spec = parse_spec(tomllib.loads(document), name="readme", folder=folder / "examples")
    (folder / "examples" / "readme.toml").write_text(document)
    done = shell("sheetnet export examples/readme.toml -o readme.xlsx", folder)
    assert spec.data.source == "iris.csv"
    assert done.returncode == 0, done.stderr


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
