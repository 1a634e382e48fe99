"""The formulas and the form of the written file, read without the product's own reader."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ironcalc
import numpy as np
import openpyxl
import pytest
from ledgers import ledgers_in_python
from openpyxl.utils import column_index_from_string, coordinate_to_tuple, get_column_letter
from support import WITHOUT_VIEWS, make_spec, shortened

import sheetnet
from sheetnet.formulas import ledger_formulas, longest
from sheetnet.layout import layout_of
from sheetnet.problem import load_problem
from sheetnet.recalc.libreoffice import convert
from sheetnet.regions import COMPARE, PREDICT, STEP
from sheetnet.spec import Spec, load_spec

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
NAME_ROW, FIRST_ROW = 4, 5
"""Of ``Train``: a row of plain names, then the visits."""

VIEWS = {STEP, PREDICT}
"""The sheets that look at the training."""

# What Excel 2010, LibreOffice 7, Google Sheets, Gnumeric and IronCalc all have, and of
# that only functions that give one number, are not volatile and mean the same in all.
FUNCTIONS = frozenset(
    re.findall(
        r"\w+",
        """ABS ADDRESS AND AVERAGE CHOOSE COLUMNS COUNT COUNTIF COUNTIFS EXACT EXP IF IFERROR INDEX
        INT ISERROR ISNUMBER LN MATCH MAX MIN MOD NOT OR POWER PRODUCT ROUND ROWS SIGN SQRT SUM
        SUMPRODUCT SUMSQ SUMXMY2 TANH""",
    )
)

_TEXT = re.compile(r'"[^"]*"')
_FUNCTION = re.compile(r"([A-Za-z_][\w.]*)\(")
_REFERENCE = re.compile(r"(?<![\w.$])(\$?)([A-Z]{1,3})(\$?)([1-9][0-9]*)(?![\w.(!])")
_NAME = re.compile(r"(?<![\w.$!])([a-z_][a-z0-9_]*)(?![\w.(!])")


def r1c1(formula: str, row: int, column: int) -> str:
    """The formula with references as they are seen from its cell."""

    def relative(match: re.Match[str]) -> str:
        fixed_column, letters, fixed_row, digits = match.groups()
        at = column_index_from_string(letters)
        r = f"R{digits}" if fixed_row else f"R[{int(digits) - row}]"
        return r + (f"C{at}" if fixed_column else f"C[{at - column}]")

    return _REFERENCE.sub(relative, formula)


def test_r1c1_by_hand() -> None:
    assert r1c1("=A1+$B$2*C$3", 3, 2) == "=R[-2]C[-1]+R2C2*R3C[1]"
    assert r1c1("=SUMXMY2(AB4:AC4,Init!B7)", 4, 28) == "=SUMXMY2(R[0]C[0]:R[0]C[1],Init!R[3]C[-26])"
    assert r1c1("=-learning_rate*LOG10(A1)", 1, 1) == "=-learning_rate*LOG10(R[0]C[0])"


@dataclass(frozen=True)
class Written:
    """A workbook as openpyxl reads it, shared formulas written out; and its XML."""

    spec: Spec
    path: Path
    book: openpyxl.Workbook
    sheets: dict[str, ElementTree.Element]

    @classmethod
    def export(cls, spec: Spec, path: Path) -> Written:
        sheetnet.export(spec, path)
        book = openpyxl.load_workbook(path)
        with zipfile.ZipFile(path) as package:
            parts = [package.read(f"xl/worksheets/sheet{n}.xml") for n, _ in enumerate(book, 1)]
        roots = map(ElementTree.fromstring, parts)
        return cls(spec, path, book, dict(zip(book.sheetnames, roots, strict=True)))

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Address with sheet, and text, of all formulas."""
        for sheet in self.book:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        yield f"{sheet.title}!{cell.coordinate}", cell.value

    def part(self, name: str) -> bytes:
        with zipfile.ZipFile(self.path) as package:
            return package.read(name)


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The workbook of each example in turn, with so many rows as show all that can change."""
    path = tmp_path_factory.mktemp("book") / f"{request.param.stem}.xlsx"
    return Written.export(shortened(request.param, 16_000), path)


def test_train_has_one_formula_per_column(written: Written) -> None:
    sheet = written.book["Train"]
    last = sheet.max_row
    assert last > FIRST_ROW
    for cells in sheet.iter_cols(min_row=FIRST_ROW):
        name = sheet.cell(NAME_ROW, cells[0].column).value
        if re.match(r"(visit|epoch|update|sample|first|last)$|r\d+\[", name):
            assert all(cell.data_type == "n" for cell in cells), name
            continue
        assert all(cell.data_type == "f" for cell in cells), name
        texts = [cell.value for cell in cells]
        if "patience" in written.spec.training.hyperparameters:
            texts = unsigned(texts)
        forms = [r1c1(text, c.row, c.column) for text, c in zip(texts, cells, strict=True)]
        if name == "stopped":
            check_once_an_epoch(forms, [sheet.cell(cell.row, 2).value for cell in cells])
            continue
        assert len(set(forms[1:])) == 1, f"{name}: {sorted(set(forms[1:]))[:3]}"
        if forms[0] != forms[1]:
            # Only what looks back to the row before may begin in another way.
            assert "R[-1]" in forms[1] and "R[-1]" not in forms[0], name
            if re.match(r"[Wb]\d+\[", name):
                assert forms[0].startswith("=Init!"), name
            else:  # state that is carried from row to row is 0 at first
                assert re.match(r"count$|[smv][Wb]\d+\[", name), name
                assert "!" not in forms[0]


def unsigned(texts: list[str]) -> list[str]:
    """Without the ``$`` of columns, which mean nothing here and come and go every 64 rows."""
    for start in range(0, len(texts), 64):
        stretch = texts[start + 1 if start == 0 else start : start + 64]
        assert len({text.count("$") for text in stretch if text != "=0"}) <= 1, stretch[0]
    return [re.sub(r"\$([A-Z])", r"\1", text) for text in texts]


def check_once_an_epoch(forms: list[str], epochs: list[int]) -> None:
    """The flag of the epoch before, cell by cell: another formula each epoch, never within."""
    of_epoch = {epoch: {f for f, e in zip(forms, epochs, strict=True) if e == epoch}
                for epoch in set(epochs)}  # fmt: skip
    assert of_epoch[1] == {"=0"}
    rows = []
    for epoch in range(2, max(epochs) + 1):
        (form,) = of_epoch[epoch]
        rows.append(int(re.fullmatch(r"=Epochs!R(\d+)C\[\d+\]", form)[1]))  # type: ignore[index]
    assert rows == list(range(rows[0], rows[0] + len(rows)))


def test_train_reads_rows_at_and_above_its_own(written: Written) -> None:
    """Data flows to the right and down; so no formula can be circular."""
    sheet = written.book["Train"]
    for row in sheet.iter_rows(min_row=FIRST_ROW, max_row=FIRST_ROW + 1):
        for cell in row:
            if cell.data_type != "f":
                continue
            own = re.sub(r"\w+!\$?[A-Z]+\$?\d+(:\$?[A-Z]+\$?\d+)?", "", cell.value)
            for _, letters, _, digits in _REFERENCE.findall(own):
                before = (int(digits), column_index_from_string(letters))
                assert before[0] in (cell.row, cell.row - 1), cell.value
                assert before[0] < cell.row or before[1] < cell.column, cell.value


def test_data_has_one_formula_per_column(written: Written) -> None:
    sheet = written.book["Data"]
    first = next(cell.row for cell in sheet["A"] if cell.value == "row") + 1
    for cells in sheet.iter_cols(min_row=first):
        forms = {r1c1(c.value, c.row, c.column) if c.data_type == "f" else None for c in cells}
        assert len(forms) == 1, f"{get_column_letter(cells[0].column)}: {forms}"


def test_only_functions_that_all_applications_have(written: Written) -> None:
    names = {name.lower() for name in written.book.defined_names}
    for where, text in written.formulas():
        plain = _TEXT.sub("", text)
        assert set(_FUNCTION.findall(plain)) <= FUNCTIONS, f"{where} {text}"
        assert set(_NAME.findall(plain)) <= names, f"{where} {text}"
        powers = plain.replace("(1-beta1^", "").replace("(1-beta2^", "")  # bias correction
        assert not set(powers) & set("{}@#^"), f"{where} {text}"
        assert len(text) - 1 <= 8192, where


def answers_to_no_arguments(tmp_path: Path) -> tuple[Path, list[str]]:
    """A workbook of calls without arguments: an unknown function says #NAME?."""
    book = openpyxl.Workbook()
    listed = [*sorted(FUNCTIONS), "NOSUCHFUNCTION"]
    for row, name in enumerate(listed, 1):
        book.worksheets[0].cell(row, 1).value = f"={name}()"
    book.save(tmp_path / "calls.xlsx")
    return tmp_path / "calls.xlsx", listed


def test_ironcalc_has_all_functions(tmp_path: Path) -> None:
    path, listed = answers_to_no_arguments(tmp_path)
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC")
    model.evaluate()
    unknown = [n for row, n in enumerate(listed, 1) if model.get_cell_value(0, row, 1) == "#NAME?"]
    assert unknown == ["NOSUCHFUNCTION"]


@pytest.mark.libreoffice
def test_libreoffice_has_all_functions(tmp_path: Path) -> None:
    path, listed = answers_to_no_arguments(tmp_path)
    sheet = openpyxl.load_workbook(convert(path, tmp_path, "xlsx"), data_only=True).worksheets[0]
    unknown = [n for row, n in enumerate(listed, 1) if sheet.cell(row, 1).value == "#NAME?"]
    assert unknown == ["NOSUCHFUNCTION"]


def test_every_formula_carries_its_value(written: Written) -> None:
    """A number, or an error exactly where Python has no number either.

    Of the sheets that look at the training ``verify`` says the same; they hold texts too.
    """
    formulas, errors = 0, set()
    for title, root in written.sheets.items():
        for cell in root.iter(f"{MAIN}c"):
            if cell.find(f"{MAIN}f") is None:
                continue
            formulas += 1
            where, value = f"{title}!{cell.get('r')}", cell.findtext(f"{MAIN}v")
            if cell.get("t", "n") == "e":
                assert value == "#NUM!", where
                errors.add(where)
            elif title in (*VIEWS, COMPARE) and cell.get("t") == "str":
                assert value is not None, where
            else:
                assert cell.get("t", "n") == "n", where
                assert value and math.isfinite(float(value)), where
    assert formulas == sum(1 for _ in written.formulas()) > 0
    expected = set()
    for ledger in ledgers_in_python(written.spec).values():
        for r, c in np.argwhere(np.isnan(ledger.values)).tolist():
            region = ledger.region
            expected.add(f"{region.sheet}!{get_column_letter(region.column + c)}{region.row + r}")
    # On Compare the constants tell where Python has no number.
    sheet = written.book["Compare"]
    for python, live in compared(sheet):
        if python.value == "#NUM!":
            expected.add(f"Compare!{live.coordinate}")
    assert {where for where in errors if where.partition("!")[0] not in VIEWS} == expected


def compared(sheet: Any) -> Iterator[tuple[Any, Any]]:
    """Python's constants, each with the live cell that it is compared with."""
    heads = {str(cell.value): cell.column for cell in sheet[10]}
    names = [name.removeprefix("python_") for name in heads if name.startswith("python_")]
    rows = [row for row in range(11, sheet.max_row + 1) if sheet.cell(row, heads["loss"]).value]
    for row in rows:
        for name in names:
            yield sheet.cell(row, heads[f"python_{name}"]), sheet.cell(row, heads[name])


def test_shared_formulas_stay_on_their_sheet(written: Written) -> None:
    """Applications differ where a shared formula names another sheet."""
    for title, root in written.sheets.items():
        anchors: dict[str, str] = {}
        for cell in root.iter(f"{MAIN}c"):
            f = cell.find(f"{MAIN}f")
            if f is None or f.get("t") != "shared":
                continue
            index, at = f.attrib["si"], cell.attrib["r"]
            if f.text:
                assert index not in anchors and "!" not in f.text
                anchors[index] = f.attrib["ref"]
            top, bottom = map(coordinate_to_tuple, anchors[index].split(":"))
            row, column = coordinate_to_tuple(at)
            assert top[0] <= row <= bottom[0] and top[1] == column == bottom[1], f"{title}!{at}"


def test_dimension_is_the_real_extent(written: Written) -> None:
    for title, root in written.sheets.items():
        places = [coordinate_to_tuple(cell.attrib["r"]) for cell in root.iter(f"{MAIN}c")]
        last_row, last_column = max(r for r, _ in places), max(c for _, c in places)
        dimension = root.find(f"{MAIN}dimension")
        assert dimension is not None
        assert dimension.get("ref") == f"A1:{get_column_letter(last_column)}{last_row}", title


def test_applications_recalculate_on_load_and_see_who_wrote_it(written: Written) -> None:
    calculation = ElementTree.fromstring(written.part("xl/workbook.xml")).find(f"{MAIN}calcPr")
    assert calculation is not None and calculation.get("fullCalcOnLoad") == "1"
    assert b"<Application>sheetnet</Application>" in written.part("docProps/app.xml")


def test_package_is_a_plain_zip(written: Written) -> None:
    """formualizer and some viewers refuse ZIP64; a date would change the bytes."""
    data = written.path.read_bytes()
    assert b"PK\x06\x06" not in data[-4096:] and b"PK\x06\x07" not in data[-4096:]
    with zipfile.ZipFile(written.path) as package:
        assert package.testzip() is None
        for part in package.infolist():
            assert part.extract_version <= 20 and not part.extra, part.filename
            assert not part.flag_bits & 0x08, f"{part.filename}: sizes stand behind the data"
            assert part.date_time == (1980, 1, 1, 0, 0, 0)
            assert data[part.header_offset + 4 : part.header_offset + 6] <= b"\x14\x00"


def test_writing_twice_gives_the_same_bytes(example: Path, tmp_path: Path) -> None:
    """Whatever the order of sets and the time of day: in processes of their own."""
    found = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.xlsx"
        command = [sys.executable, "-m", "sheetnet", "export", example, "-o", out, "--epochs", "3"]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=60)
        found.append(out.read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_the_shortest_runs_are_written_too(epochs: int, tmp_path: Path) -> None:
    """One sample: the first row differs from the others, and there may be no others."""
    spec = load_spec(ROOT / "examples" / "mazur.toml").override(epochs=epochs)
    assert sheetnet.export(spec, tmp_path / "short.xlsx", sheets=WITHOUT_VIEWS).visits == epochs
    sheet = openpyxl.load_workbook(tmp_path / "short.xlsx")["Train"]
    assert sheet.max_row == FIRST_ROW + epochs - 1
    found = [sheet.cell(row, 9).value for row in range(FIRST_ROW, sheet.max_row + 1)]
    assert found == ["=Init!B6", "=I5+AP5", "=I6+AP6"][:epochs]


def test_longest_formula_counts_the_last_row() -> None:
    """A wide layer: the limit is checked for row 1,048,576, not for the rows there are."""
    layers = [{"units": 40, "activation": "sigmoid"}, {"units": 30, "activation": "relu"}]
    problem = load_problem(make_spec(layers=[*layers, {"activation": "sigmoid"}], epochs=1))
    formulas = ledger_formulas(problem, layout_of(problem))
    texts = [formula.at(1_048_576, 5) for formula in formulas if formula is not None]
    assert longest(formulas) == max(map(len, texts))
