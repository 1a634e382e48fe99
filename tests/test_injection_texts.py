"""Texts of the user in what is no cell: CSV files, scripts, specs, keys, charts and rules."""

from __future__ import annotations

import ast
import csv
import io
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support import make_spec

import sheetnet
from sheetnet.classroom.key import _plain
from sheetnet.classroom.report import Graded, Grading
from sheetnet.errors import DataError
from sheetnet.limits import MAX_TEXT, cut, escaped, text_units, unescaped
from sheetnet.output import tame
from sheetnet.spec_writer import comment_line

NASTY = [
    "=1+1", " =1", "\t=cmd|' /C calc'!A0", "\r@SUM(A1)", "\n+A1", "'=1", '"=1', '"" =1', "a;=1",
    "a;\t -x", "\u200b=1", "\ufeff=1", "\u00a0=1", "\uff1d1+1", "\u201c=1", "b\n=1", "+", "-",
    '"""', "'''", "\\", '\\"""', "\\N{BULLET}", "\\x41", "{0}", "%s", "a\nimport os", "#", "# x",
    "\x85import os", "\u2028import os", "\x7f", "\U0001f600", "[x](javascript:1)", "`", "_x0041_",
    "http://example.org", "www.example.org", "a@example.org", "<img src=x>", "]]>", "'" * 3 + ")",
]  # fmt: skip
LETTERS = "=+-@'\"\\`;,\t\n\r #[](){}<>&:%$_xX0041 NaA1\u200b\u00a0\ufeff\uff1d\u2028\U0001f600"
texts = st.one_of(st.sampled_from(NASTY), st.text(LETTERS, min_size=1, max_size=12))
quick = settings(max_examples=150)
few = settings(max_examples=12)

UNSEEN = ' \t\r\n\x0b\x0c"\u00a0\u200b\ufeff\u2028\x85\x1c\x1d\x1e\x1f'
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def live(cell: str) -> bool:
    """Whether a spreadsheet may take the cell of a CSV file for a formula."""
    seen = cell.lstrip(UNSEEN)
    return seen.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b")) and not NUMBER.fullmatch(cell)


@quick
@given(texts, texts)
def test_no_cell_of_a_csv_file_is_a_formula_whatever_separates_cells(a: str, b: str) -> None:
    text = Grading((Graded(a, problem=b), Graded("x", problem=a))).to_csv().removeprefix("\ufeff")
    for separator in ",;\t":
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        wrong = [cell for row in rows for cell in row if live(cell) and not cell[1:2].isdigit()]
        assert not wrong, (separator, rows)


@pytest.mark.parametrize("text", ["-1.5", "+3", "1e-300", "-.5", "x=1", "a - b", "", "0"])
def test_numbers_and_plain_texts_stay(text: str) -> None:
    assert tame(text) == text


@quick
@given(st.text(LETTERS), st.integers(0, 40))
def test_escapes_of_the_format(text: str, most: int) -> None:
    from openpyxl.utils.escape import unescape

    held = escaped(text)
    assert unescaped(held) == text
    assert unescape(held) == text
    shorter = cut(text, most)
    assert text.startswith(shorter)
    assert text_units(shorter) == len(shorter.encode("utf-16-le")) // 2 <= most


# --- scripts


def table_spec(folder: Path, names: list[str], labels: list[str], rows: int, **extra: Any) -> Any:
    """A spec over a CSV file: an input for each name but the last, and these labels."""
    with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
        body = [[*(i * k % 5 for i in range(1, len(names))), labels[k % len(labels)]]
                for k in range(rows)]  # fmt: skip
        csv.writer(file).writerows([names, *body])
    return make_spec(
        source="d.csv",
        data={"target": names[-1].strip()},
        layers=[{"activation": "softmax"}],
        folder=folder,
        epochs=1,
        **extra,
    )


def skeleton(code: str) -> str:
    """The script without what its texts are: long ones are several that Python joins."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@few
@given(st.lists(texts, min_size=5, max_size=5), st.sampled_from([4, 70]), texts)
def test_scripts_are_those_of_plain_names(words: list[str], rows: int, name: str) -> None:
    assume(words[1].strip())  # the target
    plain = ["n0", "n1", "=l0", "l1"] if rows > 60 else ["n0", "n1", "l0", "l1"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for framework in ("numpy", "torch"):
            try:
                spec = table_spec(folder, words[:2], words[2:4], rows, name=name)
                code = sheetnet.code(spec, framework, path=folder / "nasty.py")
            except DataError:
                return  # two of them are the same, or empty, or numbers
            spec = table_spec(folder, plain[:2], plain[2:], rows)
            twin = sheetnet.code(spec, framework, path=folder / "plain.py")
            if rows <= 60:  # where rows are in a file, labels decide what the script reads
                assert skeleton(code) == skeleton(twin.replace("plain_data", "nasty_data"))
            compile(code, "nasty.py", "exec")
            data = folder / "nasty_data.csv"
            if data.exists():
                for separator in ",;\t":
                    text = data.read_bytes().decode()
                    found = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
                    assert not [c for row in found for c in row if live(c)], text


@pytest.mark.parametrize(
    "labels", [["=1+1", "b;=2", "'c"], ["a\n=b", '"""', "\\"], ["x", "y", "'"]]
)
def test_scripts_with_a_file_train_as_the_engine_does(tmp_path: Path, labels: list[str]) -> None:
    spec = table_spec(tmp_path, ["=x", "@y"], labels, 70, name='"""\nimport os')
    sheetnet.code(spec, path=tmp_path / "train.py")
    done = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    run = sheetnet.train(spec)
    assert repr(float(run.final["W1"][0, 0])) in done.stdout
    assert done.stderr == ""


# --- specs, and the key of a bug hunt


@few
@given(st.lists(texts, min_size=3, max_size=3), texts)
@example(["=1+1", "0\r\n0", "a\rb"], "=1")
def test_new_specs_name_the_columns_as_they_are(words: list[str], label: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        target = " ".join(words[-1].split())
        with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [[*words[:2], target], *([k, k % 3, [label, "z"][k % 2]] for k in range(6))]
            )
        try:
            sheetnet.new(folder / "s.toml", data=folder / "d.csv", target=target)
        except DataError:
            return
        found = tomllib.loads((folder / "s.toml").read_text(encoding="utf-8"))
        assert found["data"]["target"] == target
        assert set(found) == {"data", "layers", "training"}
        loaded = sheetnet.load_spec(folder / "s.toml")
        assert loaded.data.source == "d.csv"
        assert set(loaded.data.inputs or ()) <= {
            word.strip().replace("\r\n", "\n").replace("\r", "\n")
            for word in (*words, words[0].removeprefix("\ufeff"))  # a mark of UTF-8 there
        }


@quick
@given(st.text(st.one_of(st.characters(), st.sampled_from(LETTERS))))
def test_comments_of_a_spec_are_comments(text: str) -> None:
    assert tomllib.loads(f"{comment_line(text)}\n") == {}


@quick
@given(texts)
def test_names_in_a_key_are_plain_words(text: str) -> None:
    found = _plain(text)
    assert not re.search(r"[\n\r]|(?<!\\)(?:\\\\)*[`*_\[\]|<>&~]", found)
    assert not re.search(r"https?:/|www\.|mailto:|\w@", found, re.IGNORECASE)


# --- what else a workbook holds: rules, links, names, charts


def commands(path: Path) -> dict[str, list[tuple[str, str, dict[str, str]]]]:
    """All formulas, links, names and rules of a workbook, by part."""
    wanted = {
        "f", "formula", "formula1", "formula2", "definedName", "hyperlink", "oddFooter",
        "oddHeader", "Relationship", "externalReference", "sheet",
    }  # fmt: skip
    found: dict[str, list[tuple[str, str, dict[str, str]]]] = {}
    with zipfile.ZipFile(path) as package:
        for part in package.namelist():
            if not part.endswith((".xml", ".rels")):
                continue
            for element in ElementTree.fromstring(package.read(part)).iter():
                name = element.tag.rpartition("}")[2]
                if name in wanted:
                    attributes = {k: v for k, v in element.attrib.items() if k != "display"}
                    found.setdefault(part, []).append((name, element.text or "", attributes))
    return found


@pytest.mark.parametrize(
    ("names", "labels", "softmax"),
    [
        (
            ["=1+1", "Data!A1", "learning_rate"],
            ['=HYPERLINK("http://a.b","c")', "$A$1", "&P"],
            True,
        ),
        (["_x003D_1", "&A&P", "'!A1"], ["#REF!", "Train!$A$1:$B$9", "TRUE"], True),
        (["http://a.b", "file:///c", "=cmd|'/c'!A0"], ["mailto:a@b.c", "{=1}", "+1+1"], False),
    ],
)
def test_charts_rules_and_links_are_those_of_a_twin(
    tmp_path: Path, names: list[str], labels: list[str], softmax: bool
) -> None:
    made = []
    for title, own, classes in (
        ("nasty", names, labels),
        ("plain", ["a", "b", "c"], ["d", "e", "f"]),
    ):
        folder = tmp_path / title
        folder.mkdir()
        with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
            goals = sorted(classes) if softmax else ["1.5", "2.5", "0.5"]
            rows = [[k, k * k % 3, goals[k % 3]] for k in range(4)]
            csv.writer(file).writerows([own, *rows])
        spec = make_spec(
            source="d.csv",
            data={"target": own[-1], "scale": "standard"},
            layers=[{"activation": "softmax" if softmax else "linear"}],
            folder=folder,
            epochs=1,
        )
        sheetnet.export(spec, folder / "b.xlsx")
        made.append(folder / "b.xlsx")
    nasty, plain = map(commands, made)
    assert nasty == plain
    assert any("chart" in part for part in nasty)
    assert sheetnet.verify(made[0]).agree


# --- long texts, counted as the format does


def test_texts_as_long_as_a_cell_in_utf16(tmp_path: Path) -> None:
    longest = "\U0001f600" * (MAX_TEXT // 2)
    spec = table_spec(tmp_path, [longest, "y"], ["a", longest[:-1]], 3)
    sheetnet.export(spec, tmp_path / "b.xlsx", sheets=["Epochs"])
    assert sheetnet.verify(tmp_path / "b.xlsx").agree
    with zipfile.ZipFile(tmp_path / "b.xlsx") as package:
        for part in package.namelist():
            if part.startswith("xl/worksheets/sheet"):
                root = ElementTree.fromstring(package.read(part))
                for element in root.iter():
                    if element.tag.endswith("}t"):
                        assert len((element.text or "").encode("utf-16-le")) // 2 <= MAX_TEXT
                    for key, most in (("promptTitle", 32), ("prompt", 255)):
                        assert len(element.get(key, "").encode("utf-16-le")) // 2 <= most
    with pytest.raises(DataError, match="32768 characters; a cell holds 32767"):
        sheetnet.train(table_spec(tmp_path, ["x", "y"], ["a", longest + "\U0001f600"], 3))
    with pytest.raises(DataError, match="a cell holds 32767"):
        sheetnet.train(table_spec(tmp_path, [longest + "ab", "y"], ["a", "b"], 3))


def test_line_ends_that_excel_saved_in_data(tmp_path: Path) -> None:
    """openpyxl reads them as ``_x000D_``."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["a_x000D_\nb", "y"], [1, "c_x005F_x0041_"], [2, "d"], [3, "d"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "d.xlsx")
    spec = make_spec(
        source="d.xlsx", data={"target": "y"}, layers=[{"activation": "sigmoid"}], folder=tmp_path
    )
    table = sheetnet.train(spec).problem.table
    assert table.labels == ("c_x0041_", "d", "d")
    assert "_x" not in table.input_names[0]


@pytest.mark.parametrize("name", ["a\ud800", "a\x00b", "\x0b", "\ufffe"])
def test_names_that_no_workbook_can_hold(tmp_path: Path, name: str) -> None:
    spec = make_spec(name=name)
    assert "?" in spec.name
    sheetnet.export(spec, tmp_path / "b.xlsx", sheets=["Epochs"])
    assert sheetnet.verify(tmp_path / "b.xlsx").agree
    assert sheetnet.code(spec).encode()
