"""Whatever is wrong with the input: status 2, one line on stderr, nothing else anywhere."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from support import run

SPEC = '[data]\nsource = "toy:xor"\n[[layers]]\nunits = 2\n[[layers]]\nactivation = "sigmoid"\n'
TABLE = SPEC.replace('"toy:xor"', '"d.csv"\ntarget = "y"')
SHEET = TABLE.replace("d.csv", "d.xlsx")
CSV = "a,b,y\n1,2,0\n3,4,1\n5,6,0\n"


def packed(**parts: str) -> bytes:
    """A zip of texts; in names, ``__`` stands for a slash and ``_xml`` for ``.xml``."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, text in parts.items():
            package.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return file.getvalue()


def foreign(title: str = "Sheet1") -> bytes:
    """A workbook that is fine but not from here."""
    book = openpyxl.Workbook()
    book.worksheets[0].title = title
    book.worksheets[0].append([1, "=A1+1"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


DOCX = packed(**{"[Content_Types]_xml": "<Types/>", "word__document_xml": "<document/>"})
HOLLOW = packed(**{"[Content_Types]_xml": "<Types/>", "xl__workbook_xml": "<workbook/>"})
FOLDER = None

Files = dict[str, str | bytes | None]
Case = tuple[str, Files, str, str]
"""What it is, the files there (None: a folder), the command line, words of the message."""

SPECS: list[Case] = [
    ("missing", {}, "export s.toml", "no such file"),
    ("folder", {"s.toml": FOLDER}, "export s.toml", "s.toml"),
    ("here", {}, "export .", "directory"),
    ("root", {}, "export /", "directory"),
    ("empty name", {}, "export ''", ""),
    ("empty", {"s.toml": ""}, "export s.toml", "[data]"),
    ("no toml", {"s.toml": "]["}, "train s.toml", "TOML"),
    ("utf-16", {"s.toml": SPEC.encode("utf-16")}, "train s.toml", "UTF-8"),
    ("a workbook", {"s.xlsx": foreign()}, "export s.xlsx", "s.xlsx"),
    ("unknown key", {"s.toml": SPEC + "[training]\nepoch = 1"}, "export s.toml", "epochs"),
    ("line ends in a key", {"s.toml": SPEC + '"a\\nb\\u2028c" = 1'}, "export s.toml", "unknown"),
    ("nul in a source", {"s.toml": SPEC.replace("toy:xor", "a\\u0000.csv")}, "export s.toml", ""),
    ("unknown toy", {"s.toml": SPEC.replace("xor", "xorr")}, "train s.toml", "'xor'"),
    ("epochs", {"s.toml": SPEC}, "export s.toml --epochs 0", "training.epochs"),
    ("rate", {"s.toml": SPEC}, "export s.toml --learning-rate nan", "training.learning_rate"),
    ("negative", {"s.toml": SPEC}, "train s.toml --learning-rate -1", "training.learning_rate"),
    ("seed", {"s.toml": SPEC}, "train s.toml --seed -1", "training.seed"),
    ("batch", {"s.toml": SPEC}, "train s.toml --batch-size 0", "training.batch_size"),
    ("rows", {"s.toml": SPEC}, "train s.toml --rows 0", "data.rows"),
    ("text", {"s.toml": SPEC}, "train s.toml --epochs many", "--epochs"),
    ("no option", {"s.toml": SPEC}, "train s.toml --epoch 1", "--epoch"),
    ("no command", {}, "exprot s.toml", "exprot"),
    ("no argument", {}, "export", "SPEC"),
    ("two arguments", {"s.toml": SPEC}, "train s.toml s.toml", "s.toml"),
]

DATA: list[Case] = [
    ("missing", {"s.toml": TABLE}, "export s.toml", "d.csv"),
    ("folder", {"s.toml": TABLE, "d.csv": FOLDER}, "export s.toml", "d.csv"),
    ("empty", {"s.toml": TABLE, "d.csv": ""}, "export s.toml", "empty"),
    ("header", {"s.toml": TABLE, "d.csv": "a,b,y\n"}, "export s.toml", "no rows"),
    ("no target", {"s.toml": TABLE, "d.csv": CSV.replace("y", "z")}, "export s.toml", "'y'"),
    ("text", {"s.toml": TABLE, "d.csv": CSV.replace("4", "four")}, "export s.toml", "'four'"),
    ("nan", {"s.toml": TABLE, "d.csv": CSV.replace("4", "nan")}, "train s.toml", "'b'"),
    ("signs", {"s.toml": TABLE, "d.csv": CSV.replace("4", "-+inf")}, "train s.toml", "'b'"),
    ("control", {"s.toml": TABLE, "d.csv": CSV.replace("b", "\x07")}, "export s.toml", "control"),
    ("latin-1", {"s.toml": TABLE, "d.csv": "ä,y\n1,2\n".encode("latin-1")}, "export s.toml", "UTF"),
    ("loss", {"s.toml": TABLE, "d.csv": CSV.replace("0", "2")}, "export s.toml", "binary_entropy"),
    ("one class", {"s.toml": TABLE, "d.csv": "a,y\n1,p\n2,p\n"}, "export s.toml", "one class"),
    ("xlsx", {"s.toml": SHEET}, "export s.toml", "d.xlsx"),
    ("no zip", {"s.toml": SHEET, "d.xlsx": CSV}, "export s.toml", "d.xlsx"),
    ("docx", {"s.toml": SHEET, "d.xlsx": DOCX}, "export s.toml", "d.xlsx"),
    ("hollow", {"s.toml": SHEET, "d.xlsx": HOLLOW}, "export s.toml", "d.xlsx"),
    ("columns", {"s.toml": SHEET, "d.xlsx": foreign()}, "train s.toml", "d.xlsx"),
]

OUTPUT: list[Case] = [
    ("exists", {"s.toml": SPEC, "s.xlsx": "mine"}, "export s.toml", "--force"),
    ("exists elsewhere", {"s.toml": SPEC, "o.xlsx": "mine"}, "export s.toml -o o.xlsx", "--force"),
    ("folder", {"s.toml": SPEC, "o.xlsx": FOLDER}, "export s.toml -o o.xlsx --force", "folder"),
    ("no folder", {"s.toml": SPEC}, "export s.toml -o no/o.xlsx", "there is no folder"),
    ("below a file", {"s.toml": SPEC}, "export s.toml -o s.toml/o.xlsx", "folder"),
    ("long", {"s.toml": SPEC}, f"export s.toml -o {'x' * 300}.xlsx", "long"),
]

BOOKS: list[Case] = [
    ("missing", {}, "verify b.xlsx", "no such file"),
    ("folder", {"b.xlsx": FOLDER}, "verify b.xlsx", "folder"),
    ("empty", {"b.xlsx": ""}, "verify b.xlsx", "not an xlsx"),
    ("text", {"b.xlsx": CSV}, "verify b.xlsx", "not an xlsx"),
    ("docx", {"b.xlsx": DOCX}, "verify b.xlsx", "not an xlsx"),
    ("hollow", {"b.xlsx": HOLLOW}, "verify b.xlsx", "b.xlsx"),
    ("another", {"b.xlsx": foreign()}, "verify b.xlsx", "not written by sheetnet"),
    ("Train alone", {"b.xlsx": foreign("Train")}, "verify b.xlsx", "not written by sheetnet"),
    ("saved", {"b.xlsx": foreign()}, "verify b.xlsx --engine saved", "b.xlsx"),
    ("a spec", {"s.toml": SPEC}, "verify s.toml", "not an xlsx"),
    ("engine", {"b.xlsx": foreign()}, "verify b.xlsx --engine excel", "--engine"),
    ("tolerance", {"b.xlsx": foreign()}, "verify b.xlsx --rtol -1", "--rtol"),
    ("nan tolerance", {"b.xlsx": foreign()}, "verify b.xlsx --atol nan", "atol"),
    ("json", {"b.xlsx": CSV}, "verify b.xlsx --json", "not an xlsx"),
]


ALL = {
    f"{group}: {case[0]}": case[1:]
    for group, cases in {"spec": SPECS, "data": DATA, "output": OUTPUT, "book": BOOKS}.items()
    for case in cases
}

REAL = ["spec: missing", "spec: here", "spec: line ends in a key", "spec: no option",
        "spec: nul in a source", "data: control", "data: hollow", "output: exists",
        "book: another", "book: docx"]  # fmt: skip
"""Cases that are run in a process of their own as well: they cost half a second each."""


def lay(folder: Path, files: Files) -> None:
    for name, content in files.items():
        if content is FOLDER:
            (folder / name).mkdir()
        else:
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name).write_bytes(data)


def listing(folder: Path) -> dict[str, bytes | None]:
    """All files below, hidden ones too, with their content."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def check(status: int, out: str, err: str, *words: str) -> None:
    assert "Traceback" not in err
    assert status == 2, err
    assert out == ""
    assert re.fullmatch(r"Error: [^\n]+\n", err), err
    assert len(err.splitlines()) == 1  # splitlines knows line ends that are no \n
    for word in words:
        assert word in err


@pytest.mark.parametrize("case", ALL)
def test_bad_input(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, line, words = ALL[case]
    lay(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    before = listing(tmp_path)
    result = run(*shlex.split(line))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    check(result.exit_code, result.stdout, result.stderr, words)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("case", REAL)
def test_in_a_process_of_its_own(case: str, tmp_path: Path) -> None:
    files, line, words = ALL[case]
    folder, scratch = tmp_path / "here", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    lay(folder, files)
    before = listing(folder)
    done = subprocess.run(
        [sys.executable, "-m", "sheetnet", *shlex.split(line)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    check(done.returncode, done.stdout, done.stderr, words)
    assert listing(folder) == before
    assert listing(scratch) == {}


@pytest.mark.parametrize("name", ["a\x01b.toml", "a\udcffb.toml", "a\nb.toml"])
@pytest.mark.parametrize("content", [SPEC, "epochs"], ids=["fine", "bad"])
def test_strange_names_of_specs(tmp_path: Path, name: str, content: str) -> None:
    # Names that a sheet cannot hold: the export works or says so in one line.
    (tmp_path / name).write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "sheetnet", "export", name, "-o", "book.xlsx"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    err = done.stderr.decode(errors="replace")
    if content == SPEC and done.returncode == 0:
        assert (tmp_path / "book.xlsx").exists()
        assert err == ""
    else:
        check(done.returncode, done.stdout.decode(), err)
        assert not (tmp_path / "book.xlsx").exists()
    assert len(list(tmp_path.iterdir())) == (2 if done.returncode == 0 else 1)


def test_control_characters_in_a_source_s_name(tmp_path: Path) -> None:
    # Config shows the source, so its name must be one that a sheet can hold.
    (tmp_path / "d\x01.csv").write_text(CSV)
    (tmp_path / "s.toml").write_text(TABLE.replace("d.csv", "d\\u0001.csv"))
    before = listing(tmp_path)
    result = run("export", tmp_path / "s.toml", "-o", tmp_path / "b.xlsx")
    check(result.exit_code, result.stdout, result.stderr, "control")
    assert listing(tmp_path) == before


def test_no_command_shows_the_help() -> None:
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == run("--help").stdout


@pytest.mark.parametrize("suffix", [".toml", ".xlsx"])
def test_what_is_read_is_never_overwritten(tmp_path: Path, suffix: str) -> None:
    # iris.toml beside iris.xlsx: the default name of the workbook is that of its data.
    book = openpyxl.Workbook()
    for row in (["a", "b", "y"], [1, 2, 0], [3, 4, 1], [5, 6, 1]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "iris.xlsx")
    (tmp_path / "iris.toml").write_text(SHEET.replace("d.xlsx", "iris.xlsx"))
    before = listing(tmp_path)
    target = tmp_path / f"iris{suffix}"
    result = run("export", tmp_path / "iris.toml", "-o", target, "--force")
    assert listing(tmp_path) == before
    check(result.exit_code, result.stdout, result.stderr, target.name)
