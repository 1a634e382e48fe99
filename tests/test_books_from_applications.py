"""Edited workbooks as applications save them, and what the commands say of them."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from conftest import ROOT
from faults import change, in_cell, rewrite, rewrite_sheet
from openpyxl.workbook import Workbook
from scripts import assert_same_bits, run_scripts
from soffice import Job, edit_in_libreoffice
from support import make_spec, run

import sheetnet
from sheetnet.errors import WorkbookError
from sheetnet.reader.package import open_package
from sheetnet.reader.scan import scan

STYLES = "xl/styles.xml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("books")
    sheetnet.export(make_spec(epochs=2), place / "xor.xlsx", sheets=["Compare"])
    blobs = make_spec(
        source="toy:blobs",
        data={"rows": 6, "scale": "standard"},
        layers=[{"units": 2, "activation": "tanh"}, {"activation": "softmax"}],
        epochs=2,
        shuffle=True,
    )
    sheetnet.export(blobs, place / "blobs.xlsx", sheets=["Compare"])
    return place


def edit(source: Path, target: Path, **cells: object) -> Path:
    """Type into cells: ``Config_B6=0.25``."""

    def fault(book: Workbook) -> None:
        for name, value in cells.items():
            title, _, cell = name.partition("_")
            book[title][cell] = value

    return change(source, target, fault)


# --- what Excel writes


@pytest.mark.parametrize(
    ("content", "number"),
    [
        ("<v>1E-3</v>", 0.001),
        ("<v>2.5000000000000001E-2</v>", 0.025),
        ("<f>1/4</f><v>0.25</v>", 0.25),
        ('<f t="shared" ref="B6" si="77">1/8</f><v>99</v>', 0.125),
    ],
)
def test_numbers(folder: Path, tmp_path: Path, content: str, number: float) -> None:
    """Of a formula the saved value may be as old as any other."""
    fault = in_cell("B6", "<v>.*?</v>", content)
    path = rewrite_sheet(folder / "xor.xlsx", tmp_path / "edited.xlsx", "Config", fault)
    book = sheetnet.load_book(path)
    assert book.problem.hyperparameters["learning_rate"] == number
    assert [(d.a, d.b) for d in book.changes.hyperparameters] == [(0.5, number)]


LABELS: dict[str, str] = {
    "plain": '<c r="D9" t="inlineStr"><is><t>blob_b</t></is></c>',
    "rich": '<c r="D9" t="inlineStr"><is><r><rPr/><t>b</t></r><r><t>lob_b</t></r></is></c>',
    "of a formula": '<c r="D9" t="str"><f>"blob_"&amp;"b"</f><v>old</v></c>',
}


def replaced(xml: str, cell: str) -> str:
    """The sheet with another ``D9``."""
    made, count = re.subn(r'<c r="D9".*?</c>', lambda _: cell, xml, count=1)
    assert count == 1
    return made


@pytest.mark.parametrize("name", [*LABELS, "shared"])
def test_texts(folder: Path, tmp_path: Path, name: str) -> None:
    source = folder / "blobs.xlsx"
    assert sheetnet.load_book(source).problem.table.labels[0] == "blob_a"  # type: ignore[index]
    target = tmp_path / "edited.xlsx"
    if name == "shared":  # as Excel and LibreOffice write texts
        cell = '<c r="D9" t="s"><v>1</v></c>'
        path = rewrite_sheet(source, target, "Data", lambda xml: replaced(xml, cell))
        texts = "<si><t>no</t></si><si><r><t>blob</t></r><r><t>_b</t></r><rPh><t>x</t></rPh></si>"
        with zipfile.ZipFile(path, "a") as package:
            package.writestr("xl/sharedStrings.xml", f"<sst>{texts}</sst>")
    else:
        path = rewrite_sheet(source, target, "Data", lambda xml: replaced(xml, LABELS[name]))
    book = sheetnet.load_book(path)
    assert book.problem.table.labels[0] == "blob_b"  # type: ignore[index]
    (found,) = book.changes.data
    assert (found.cell, found.a, found.b) == ("Data!D9", "blob_a", "blob_b")


def test_cells_without_references(folder: Path, tmp_path: Path) -> None:
    """They stand one after the other; rows may do without numbers too."""

    def bare(xml: str) -> str:
        return re.sub(r'<c r="[A-Z]+\d+"', "<c", xml.replace('<dimension ref="A1:D9"/>', ""))

    path = rewrite_sheet(folder / "xor.xlsx", tmp_path / "edited.xlsx", "Data", bare)
    before = []
    scan(open_package(folder / "xor.xlsx"), "Data", lambda *cell: before.append(cell) or True)
    after = []
    scan(open_package(path), "Data", lambda *cell: after.append(cell) or True)
    numbers = [c for c in before if isinstance(c[2], float)]
    assert len(numbers) == 16  # four rows: number, two inputs, target
    assert [c[2] for c in before] == [c[2] for c in after]


@pytest.mark.parametrize(
    ("title", "cell", "code"),
    [
        ("Data", "B7", "yyyy\\-mm\\-dd"),
        ("Data", "B7", "d\\.m\\.yy"),
        ("Data", "B7", "[h]:mm"),
        ("Data", "D10", "mm-dd-yy"),
        ("Init", "C7", "mm-dd-yy"),
        ("Config", "B6", "mm-dd-yy"),
    ],
)
def test_dates_are_no_numbers(
    folder: Path, tmp_path: Path, title: str, cell: str, code: str
) -> None:
    """Who types 3/4 or 1.5.24 gets one, and would train on 45,413."""

    def dated(book: Workbook) -> None:
        target = book[title][cell]
        target.value = 45413
        target.number_format = code
        for column in "BC" if cell == "D10" else "":
            book[title][f"{column}10"] = 1.0

    path = change(folder / "xor.xlsx", tmp_path / "edited.xlsx", dated)
    with pytest.raises(
        WorkbookError, match=rf"{title}!{cell} holds a date or a time \(day 45413\)"
    ):
        sheetnet.load_book(path)


def test_other_formats_are(folder: Path, tmp_path: Path) -> None:
    def formatted(book: Workbook) -> None:
        for row, code in enumerate(["0.00E+00", "# ?/?", '"day "0', "[Red]0%"], 6):
            book["Data"][f"B{row}"].number_format = code
        book["Data"]["F3"] = "typed on"
        book["Data"]["G3"].number_format = "yyyy"
        book["Data"]["G3"] = 45413

    book = sheetnet.load_book(change(folder / "xor.xlsx", tmp_path / "edited.xlsx", formatted))
    assert book.changes.equal and not book.notes


def test_numbers_where_classes_are_texts(tmp_path: Path) -> None:
    """Spreadsheets make a number of "1": it is the class of that name."""
    (tmp_path / "t.csv").write_text("x,c\n1,one\n2,2\n3,one\n4,2\n", encoding="utf-8")
    spec = make_spec(
        source="t.csv", data={"target": "c"}, layers=[{"activation": "sigmoid"}], folder=tmp_path
    )
    sheetnet.export(spec, tmp_path / "t.xlsx", sheets=[])
    path = edit(tmp_path / "t.xlsx", tmp_path / "edited.xlsx", Data_C10=2)
    assert sheetnet.load_book(path).problem.table.labels == ("one", "2", "2", "2")


# --- damaged and foreign files


def test_foreign_files(folder: Path, tmp_path: Path) -> None:
    table = Workbook()
    table.worksheets[0].append(["a", "b"])
    table.save(tmp_path / "table.xlsx")
    (tmp_path / "text.xlsx").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "folder.xlsx").mkdir()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a.txt", "a")
    whole = (folder / "xor.xlsx").read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    messages = {
        "table.xlsx": "is not a workbook of sheetnet: it has no sheet 'Config' (for a table of "
        "data: sheetnet new SPEC.toml --data table.xlsx)",
        "text.xlsx": "text.xlsx is not an xlsx workbook",
        "cut.xlsx": "cut.xlsx is not an xlsx workbook",
        "other.zip": "other.zip is not an xlsx workbook",
        "folder.xlsx": "is a folder",
        "missing.xlsx": "no such file",
    }
    for name, message in messages.items():
        for command in ("train", "code", "export"):
            done = run(command, tmp_path / name)
            assert done.exit_code == 2 and not done.stdout
            assert done.stderr.startswith("Error: ") and message in done.stderr
            assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("Data", r"<v>0(\.0)?</v>", "<v>none</v>"),
        ("Train", '<c r="D5" s="', '<c r="D5" s="x'),
        ("Compare", '<c r="A1".*?</c>', '<c r="A1" t="s"><v>99999</v></c>'),
        (STYLES, "<cellXfs", "<cellXfs></cellXfs><cellXfs"),
        (STYLES, "</styleSheet>", ""),
        ("Init", "<sheetData>", "<!DOCTYPE a><sheetData>"),
    ],
)
def test_damaged_parts(folder: Path, tmp_path: Path, part: str, old: str, new: str) -> None:
    source = folder / "xor.xlsx"
    name = open_package(source).sheets.get(part, part)
    path = rewrite(
        source, tmp_path / "broken.xlsx", {name: lambda xml: re.sub(old, new, xml, count=1)}
    )
    if "cellXfs" in new:  # odd, but nothing that matters
        assert sheetnet.load_book(path).changes.equal
        return
    with pytest.raises(WorkbookError, match=r"broken\.xlsx"):
        sheetnet.load_book(path)


# --- what LibreOffice writes


@pytest.mark.libreoffice
def test_saved_by_libreoffice(folder: Path, tmp_path: Path) -> None:
    """Untouched and edited: shared texts, 15 digits, formulas with values, a row more."""
    edits: dict[str, float | str] = {
        "Config!B6": 0.25,
        "Data!B10": "=1/3",
        "Data!D11": "blob_a",
        "Init!C7": -0.5,
        "Data!B15": 0.5,
        "Data!C15": -1.5,
        "Data!D15": "blob_c",
    }
    jobs = [
        Job(folder / "blobs.xlsx", tmp_path / "same.xlsx"),
        Job(folder / "blobs.xlsx", tmp_path / "edited.xlsx", edits),
    ]
    (tmp_path / "office").mkdir()
    edit_in_libreoffice(jobs, tmp_path / "office")
    before = sheetnet.load_book(folder / "blobs.xlsx")
    same = sheetnet.load_book(tmp_path / "same.xlsx")
    assert same.changes.equal and not same.notes
    run_before, run_same = sheetnet.train(before), sheetnet.train(same)
    assert np.allclose(run_before.matrix, run_same.matrix, rtol=1e-12, atol=1e-13)
    book = sheetnet.load_book(tmp_path / "edited.xlsx")
    table = book.problem.table
    assert table.rows == 7 and table.labels is not None
    assert table.inputs[1, 0] == 1 / 3 and table.inputs[6].tolist() == [0.5, -1.5]
    assert (table.labels[2], table.labels[6]) == ("blob_a", "blob_c")
    found = {d.cell: d.b for _, kind in book.changes.kinds for d in kind}
    assert found.pop(None) == 7
    assert found == {
        "Config!B6": 0.25, "Data!B10": 1 / 3, "Data!D11": "blob_a", "Init!C7": -0.5
    }  # fmt: skip
    assert run("export", tmp_path / "edited.xlsx", "-o", tmp_path / "again.xlsx").exit_code == 0
    assert sheetnet.verify(tmp_path / "again.xlsx").agree


# --- the commands


def test_train_tells_what_differs(folder: Path, tmp_path: Path) -> None:
    path = edit(folder / "xor.xlsx", tmp_path / "edited.xlsx", Config_B6=0.25, Data_B7=0.5)
    done = run("train", path)
    assert done.exit_code == 0 and "mean loss" in done.stdout
    assert done.stderr.splitlines() == [
        "edited.xlsx, what differs from its export:",
        "  hyperparameters:",
        "    Config!B6 learning_rate: 0.5, now 0.25",
        "  data:",
        "    Data!B7 x1: 0, now 0.5",
    ]
    done = run("train", path, "--json", "--epochs", "1")
    found = json.loads(done.stdout)
    assert not done.stderr
    assert found["book"]["changes"]["data"] == [
        {"name": "x1", "a": 0.0, "b": 0.5, "cell": "Data!B7"}
    ]
    assert len(found["epoch_losses"]) == 1
    assert "book" not in json.loads(run("train", ROOT / "examples/xor.toml", "--json").stdout)


def test_export_writes_another_workbook(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    edit(folder / "xor.xlsx", tmp_path / "edited.xlsx", Config_B6=0.25)
    before = (tmp_path / "edited.xlsx").read_bytes()
    done = run("export", "edited.xlsx", "--epochs", "3", "--sheets", "Epochs")
    assert done.exit_code == 0 and done.stdout.startswith("edited_again.xlsx: 12 visits")
    assert "Config!B6 learning_rate: 0.5, now 0.25" in done.stderr
    again = openpyxl.load_workbook("edited_again.xlsx")
    assert again.sheetnames == ["Config", "Data", "Init", "Train", "Epochs"]
    done = run("export", "edited.xlsx")
    assert done.exit_code == 2 and "use --force" in done.stderr
    done = run("export", "edited.xlsx", "-o", "edited.xlsx", "--force")
    assert done.exit_code == 2 and "is read by the run" in done.stderr
    assert (tmp_path / "edited.xlsx").read_bytes() == before
    shutil.copy("edited.xlsx", "named.toml")  # a workbook is one under any name
    assert run("export", "named.toml", "-o", "named.xlsx").exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "edited.xlsx", "edited_again.xlsx", "named.toml", "named.xlsx"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["xor", "blobs"])
def test_code_repeats_the_edited_training(folder: Path, tmp_path: Path, name: str) -> None:
    path = edit(
        folder / f"{name}.xlsx",
        tmp_path / "edited.xlsx",
        Config_B6=0.25,
        Init_B6="=-1/3",
        Init_C7=0.1,
    )
    done = run("code", path, "-o", tmp_path / "train.py")
    assert done.exit_code == 0 and "Config!B6 learning_rate" in done.stderr
    source = (tmp_path / "train.py").read_text(encoding="utf-8")
    assert "\n# edited.xlsx, what differs from its export:\n" in source
    assert "\n# Config!B6 learning_rate: 0.5, now 0.25\n" in source
    (printed,) = run_scripts(tmp_path / "train.py")
    assert_same_bits(printed, sheetnet.train(sheetnet.load_book(path)))
    assert run("code", path).stdout == source == sheetnet.code(sheetnet.load_book(path))


def test_comments_stay_comments(folder: Path, tmp_path: Path) -> None:
    """Names of columns come from anywhere."""
    evil = "x\nimport os\u2028raise SystemExit\rquit()"
    path = edit(folder / "xor.xlsx", tmp_path / "edited.xlsx", Data_B5=evil, Data_B7=0.5)
    text = sheetnet.code(sheetnet.load_book(path))
    compile(text, "train.py", "exec")
    for word in ("import os", "raise SystemExit", "quit()"):
        assert all(line.lstrip().startswith("#") for line in text.splitlines() if word in line), (
            word
        )


def test_tune_takes_specs_only(folder: Path) -> None:
    done = run("tune", folder / "xor.xlsx")
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: xor.xlsx is a workbook: tune takes a spec (TOML)")
