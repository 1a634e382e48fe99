"""Rows taken out of the XML mean what the parser makes of them."""

from __future__ import annotations

import io
import random
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import sheetnet
from sheetnet.errors import WorkbookError
from sheetnet.reader import alike
from sheetnet.reader.cells import Grid
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package, open_package
from sheetnet.spec import parse_spec

PART = "xl/worksheets/sheet4.xml"
DOCUMENT = {
    "data": {"source": "toy:moons", "rows": 30, "validation": 0.2},
    "layers": [{"units": 3, "activation": "tanh"}, {"activation": "sigmoid"}],
    "training": {"epochs": 5, "batch_size": 4, "learning_rate": 0.1, "patience": 1},
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("alike") / "book.xlsx"
    spec = parse_spec(DOCUMENT, name="alike", folder=Path())
    sheetnet.export(spec, path, sheets=("Train",))
    return path


def with_part(book: Path, path: Path, content: bytes) -> Package:
    """A copy of the workbook with another ``Train``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            target.writestr(name, content if name == PART else source.read(name))
    path.write_bytes(buffer.getvalue())
    return open_package(path)


def train_of(book: Path) -> bytes:
    with zipfile.ZipFile(book) as source:
        return source.read(PART)


def outcome(package: Package) -> Grid | str:
    try:
        return read_grid(package, "Train", 140, 100)
    except WorkbookError as error:
        return str(error).split(":")[0]


def both(package: Package, monkeypatch: pytest.MonkeyPatch) -> tuple[Grid | str, Grid | str]:
    """With likenesses, and by the parser alone."""
    fast = outcome(package)
    with monkeypatch.context() as patch:
        patch.setattr(alike.Cutter, "rest", lambda self, piece: (piece,))
        return fast, outcome(package)


def assert_same(one: Grid | str, other: Grid | str) -> None:
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert np.array_equal(one.numbers, other.numbers, equal_nan=True)
    assert (one.odd, one.beyond) == (other.odd, other.beyond)
    held = np.array(one.held, dtype=object)[one.formulas]
    assert (held == np.array(other.held, dtype=object)[other.formulas]).all()


def watched(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each row that is read from now on, whether it was taken."""
    taken: list[bool] = []
    whole = alike.Cutter._taken
    monkeypatch.setattr(
        alike.Cutter, "_taken", lambda self, row: taken.append(whole(self, row)) or taken[-1]
    )
    return taken


def with_rows(book: Path, target: Path, rows: bytes) -> Package:
    """The workbook with these rows on Train."""
    start, _, rest = train_of(book).partition(b"<sheetData>")
    content = start + b"<sheetData>" + rows + b"</sheetData>" + rest.partition(b"</sheetData>")[2]
    return with_part(book, target, content)


def test_nearly_all_rows_are_taken(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = watched(monkeypatch)
    grid = outcome(open_package(book))
    assert isinstance(grid, Grid) and sum(taken) > 100


def test_a_whole_sheet(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, plain = both(open_package(book), monkeypatch)
    assert isinstance(plain, Grid) and (plain.formulas > 0).sum() > 3000
    assert_same(fast, plain)


def test_small_pieces(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = both(open_package(book), monkeypatch)[1]
    for size in (97, 1000, 5000):
        monkeypatch.setattr("sheetnet.reader.package._CHUNK", size)
        assert_same(outcome(open_package(book)), plain)


ROW = b'<row r="60">'
CHANGES = {
    "a comment around a row": lambda x: x.replace(ROW, b"<!--" + ROW).replace(
        b'<row r="61">', b'--><row r="61">'
    ),
    "CDATA": lambda x: x.replace(ROW, b"<![CDATA[" + ROW).replace(
        b'<row r="61">', b']]><row r="61">'
    ),
    "an instruction": lambda x: x.replace(ROW, b"<?a " + ROW).replace(
        b'<row r="61">', b'?><row r="61">'
    ),
    "a row twice": lambda x: x.replace(b'<row r="61">', ROW).replace(b'61"', b'60"'),
    "cells of another row": lambda x: x.replace(ROW, b'<row r="61">'),
    "another shared formula": lambda x: x.replace(b'<row r="70">', b'<row r="70" a="b">', 1),
    "other letters": lambda x: x.replace(b"UTF-8", b"iso-8859-1").replace(b"utf-8", b"iso-8859-1"),
    "a number that is none": lambda x: x.replace(b'<c r="A60"', b'<c t="n" r="A60"').replace(
        b"<v>56</v>", b"<v>5_6</v>"
    ),
    "infinity": lambda x: x.replace(b"<v>56</v>", b"<v>1e999</v>"),
    "a text": lambda x: x.replace(b"<v>56</v>", b"<v>a&amp;b</v>"),
    "an error": lambda x: x.replace(b'<c r="A60" s', b'<c r="A60" t="e" s').replace(
        b"<v>56</v>", b"<v>#NUM!</v>"
    ),
    "cut off": lambda x: x[: len(x) // 2],
    "an entity": lambda x: x.replace(b"<v>56</v>", b"<v>&#53;6</v>"),
    "white space": lambda x: x.replace(b"<v>56</v>", b"<v> 56 </v>"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_unusual(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    content = CHANGES[what](train_of(book))
    assert content != train_of(book)
    assert_same(*both(with_part(book, tmp_path / "b.xlsx", content), monkeypatch))


TEXTS = (
    *(b"a&lt;b", b"a>b", b"a\r\nb", "ä".encode(), b"\x02", b"", b" a "),
    *(b"&gt;=&quot;&apos;&amp;", b"&amp;lt;", b"&amp;#65;", b"&#65;", b"&#x41;", b"a&b", b"&LT;"),
    *(b"&nbsp;", b"&amp", b"_x0041_&amp;", b"&lt;" * 8192, b"&lt;" * 8193),
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("cell", [b"%s", b"<f>%s</f><v>x</v>"])
def test_texts_in_rows_that_are_alike(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, cell: bytes
) -> None:
    """In one row of many; a text as value, or as formula."""
    form = cell if cell != b"%s" else b"<v>%s</v>"
    rows = b"".join(
        b'<row r="%d"><c r="A%d" t="str">%s</c><c r="B%d"><v>1</v></c></row>'
        % (n, n, form % (text if n == 30 else b"plain"), n)
        for n in range(1, 60)
    )
    assert_same(*both(with_rows(book, tmp_path / "b.xlsx", rows), monkeypatch))


@pytest.mark.parametrize(
    "number", [b"5_6", b" 5", b"\x0c5", b"+5", b"0x5", b"5e999", b"nan", b"5."]
)
def test_numbers_in_rows_that_are_alike(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: bytes
) -> None:
    content = train_of(book)
    at = content.index(b"<v>", content.index(b'<c r="A60"')) + len(b"<v>")
    content = content[:at] + number + content[content.index(b"<", at) :]
    assert_same(*both(with_part(book, tmp_path / "b.xlsx", content), monkeypatch))


def test_rows_with_escaped_formulas_are_taken(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LibreOffice writes each formula out, those that compare too."""
    rows = b"".join(
        b'<row r="%d"><c r="A%d"><f>IF(B%d&gt;=0,1,2)</f><v>%d</v></c></row>' % (n, n, n, n)
        for n in range(1, 60)
    )
    package = with_rows(book, tmp_path / "b.xlsx", rows)
    plain = both(package, monkeypatch)[1]
    taken = watched(monkeypatch)
    grid = outcome(package)
    assert isinstance(grid, Grid) and sum(taken) == 58
    assert_same(grid, plain)
    assert grid.held[int(grid.formulas[30, 0])] == "IF(B31>=0,1,2)"


def test_a_shared_formula_that_ends_or_begins_anew(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = train_of(book)
    found = re.search(rb'ref="([A-Z]+)69:[A-Z]+124" si="(\d+)"', content)
    assert found is not None
    column, index = found[1], found[2]
    cut = content.replace(found[0], found[0].replace(b"124", b"80"))
    later = b'<f t="shared" si="%b"/>' % index
    at = content.index(later, content.index(b'<c r="%b90"' % column))
    first = b'<f t="shared" ref="%b90:%b124" si="%b">1+1</f>' % (column, column, index)
    anew = content[:at] + first + content[at + len(later) :]
    assert cut != content and anew != content
    for number, changed in enumerate((cut, anew)):
        assert_same(*both(with_part(book, tmp_path / f"{number}.xlsx", changed), monkeypatch))


def test_random_bytes(book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes changed, left out, doubled; pieces of the sheet moved elsewhere."""
    draw = random.Random(1)
    content = train_of(book)
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(changed))
            length = draw.choice([1, 1, 2, 5, 40, 400])
            kind = draw.randrange(4)
            if kind == 0:
                changed[at] = draw.choice(b'<>/"&=5ArXs \0!?-]')
            elif kind == 1:
                del changed[at : at + length]
            elif kind == 2:
                changed[at:at] = changed[at : at + length]
            else:
                to = draw.randrange(len(changed))
                changed[to:to] = changed[at : at + length]
        assert_same(*both(with_part(book, tmp_path / "b.xlsx", bytes(changed)), monkeypatch))
