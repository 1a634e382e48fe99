"""Other languages of the machine: names, terminals and numbers as they are there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_bad_input import check

import sheetnet

SPEC = """\ufeff[data]
source = "tab elle ä.csv"
target = "数"

[[layers]]
units = 2
[[layers]]
activation = "sigmoid"

[training]
epochs = 2
""".replace("\n", "\r\n")
TABLE = "größe;π;数\r\n1,5;2;ja\r\n3,25;4;nein\r\n5;6;ja\r\n"
WHERE = "ein Ordner größe 数据"

COMMANDS = """
import json, locale, sys
from click.testing import CliRunner
from sheetnet.cli import main
if sys.argv[1]:
    locale.setlocale(locale.LC_ALL, "")
    assert locale.localeconv()["decimal_point"] == ","
for line in (
    ["export", "spec ü.toml", "-o", "bü.xlsx", "--sheets", "Step,Predict"],
    ["code", "spec ü.toml", "-o", "t ü.py"],
    ["exercise", "spec ü.toml", "-o", "eü.xlsx", "--visits", "1"],
    ["train", "spec ü.toml", "--json"],
    ["verify", "bü.xlsx"],
):
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 0, (line, done.output, done.exception)
"""


def python(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / WHERE
    place.mkdir()
    (place / "spec ü.toml").write_bytes(SPEC.encode())
    (place / "tab elle ä.csv").write_bytes(TABLE.encode())
    return place


@pytest.fixture(scope="session")
def german(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with decimal commas; made here, so that no machine needs to have it."""
    if shutil.which("localedef") is None:
        pytest.skip("no localedef makes a locale here")
    folder = tmp_path_factory.mktemp("locales")
    command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the sources of the locale de_DE are not installed")
    return {"LC_ALL": "de_DE.UTF-8", "LOCPATH": str(folder)}


def written(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("bü.xlsx", "t ü.py", "eü.xlsx")}


@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
def test_the_same_files_under_any_locale(
    folder: Path, tmp_path: Path, german: dict[str, str]
) -> None:
    found = []
    for n, environment in enumerate(({"LC_ALL": "C"}, german)):
        place = tmp_path / f"{n}" / WHERE
        shutil.copytree(folder, place)
        comma = "LOCPATH" in environment
        done = python(place, "-c", COMMANDS, "comma" if comma else "", **environment)
        assert done.returncode == 0, done.stderr.decode()
        found.append(written(place))
        # The script prints the same, too.
        script = python(place, "t ü.py", **environment)
        assert script.returncode == 0, script.stderr.decode()
        found[-1]["printed"] = script.stdout
    assert found[0] == found[1]


@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
def test_names_that_the_system_cannot_spell(folder: Path) -> None:
    """ASCII only: what the command line names works, what a spec names is explained."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0"}
    main = ("-m", "sheetnet")
    done = python(folder, *main, "export", "spec ü.toml", **plain)
    check(done.returncode, done.stdout.decode(), done.stderr.decode(), "PYTHONUTF8=1", "'\\xe4'")
    shutil.copyfile(folder / "tab elle ä.csv", folder / "t.csv")
    text = SPEC.replace("tab elle ä", "t")
    (folder / "spec ü.toml").write_bytes(text.encode())
    done = python(folder, *main, "export", "spec ü.toml", "--sheets", "Epochs", **plain)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().startswith("spec ??.xlsx: 6 visits")
    done = python(folder, *main, "verify", "spec ü.xlsx", **plain)
    assert done.returncode == 0, done.stderr.decode()


def test_a_terminal_of_few_letters(folder: Path) -> None:
    """click writes UTF-8 where it is said to be ASCII; whatever it is, nothing breaks."""
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = python(folder, "-m", "sheetnet", "train", "spec ü.toml", "--json", **environment)
    assert json.loads(done.stdout)["spec"] == "spec ü"
    done = python(folder, "-m", "sheetnet", "train", "nix ü.toml", **environment)
    check(done.returncode, done.stdout.decode(), done.stderr.decode(), "nix ü.toml")
    for line in (["export", "spec ü.toml", "--sheets", "Epochs"], ["verify", "spec ü.xlsx"]):
        done = python(folder, "-m", "sheetnet", *line, **environment)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode().startswith("spec ü.xlsx: ")
    environment["PYTHONIOENCODING"] = "latin-1"
    done = python(folder, "-m", "sheetnet", "new", "数ü.toml", **environment)
    assert done.stdout.startswith("?ü.toml: 2-3-1".encode("latin-1"))


@pytest.mark.libreoffice
@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
def test_libreoffice_under_a_comma(folder: Path, german: dict[str, str]) -> None:
    sheetnet.export(
        sheetnet.load_spec(folder / "spec ü.toml"), folder / "bü.xlsx", sheets=["Epochs"]
    )
    line = ("-m", "sheetnet", "verify", "bü.xlsx", "--engine", "libreoffice", "--json")
    done = python(folder, *line, **german)
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, report["agree"], done.stderr) == (0, True, b"")
