"""Workbooks that attack their readers, each made from an exported one."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import openpyxl
import vba
from faults import in_cell
from openpyxl.workbook import Workbook
from support import run

Parts = dict[str, bytes]

BOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
CONFIG, DATA, TRAIN = (f"xl/worksheets/sheet{n}.xml" for n in (1, 2, 4))
MB = 1_000_000
TYPES = "[Content_Types].xml"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def written(source: Path, target: Path, parts: Parts, *, stored: bool = False) -> Path:
    """A copy with these parts besides, or instead."""
    packing = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", packing) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return target


def part(source: Path, name: str) -> str:
    with zipfile.ZipFile(source) as file:
        return file.read(name).decode()


# --- refused: what is said

Maker = Callable[[Path], Parts]


def many_parts(_: Path) -> Parts:
    return {f"xl/media/{n}.bin": b"" for n in range(20_000)}


def many_bombs(_: Path) -> Parts:
    """None of them is a bomb by itself."""
    return {f"xl/worksheets/more{n}.xml": bytes(9 * MB) for n in range(8)}


def many_sheets(source: Path) -> Parts:
    sheet = f'<sheet name="s{{0}}" sheetId="{{0}}" xmlns:r="{REL}" r:id="rId1"/>'
    extra = "".join(sheet.format(n) for n in range(100, 3100))
    return {BOOK: part(source, BOOK).replace("</sheets>", f"{extra}</sheets>").encode()}


def huge_workbook_part(source: Path) -> Parts:
    names = "".join(f'<definedName name="n{n}">Config!$B${n}</definedName>' for n in range(400_000))
    return {BOOK: part(source, BOOK).replace("<definedNames>", f"<definedNames>{names}").encode()}


def edited(name: str, cell: str, old: str, new: str) -> Maker:
    return lambda source: {name: in_cell(cell, old, new)(part(source, name)).encode()}


def config(key: str, number: str) -> Maker:
    """Another number beside a key of Config."""

    def make(source: Path) -> Parts:
        xml = part(source, CONFIG)
        found = re.search(rf'<c r="A(\d+)"[^>]*><is><t[^>]*>{key}</t>', xml)
        assert found is not None, key
        return {CONFIG: in_cell(f"B{found[1]}", r"<v>.*</v>", f"<v>{number}</v>")(xml).encode()}

    return make


def many_layers(source: Path) -> Parts:
    """The last row of Config, of its only layer, again and again."""
    xml = part(source, CONFIG)
    start, end = xml.rindex("<row "), xml.index("</sheetData>")
    row, last = re.search(r'<row r="(\d+)"', xml[start:]), xml[start:end]
    assert row is not None and ">linear<" in last
    more = (
        re.sub(rf'"([A-Z]*){row[1]}"', rf'"\g<1>{int(row[1]) + n}"', last) for n in range(1, 20_000)
    )
    return {CONFIG: (xml[:end] + "".join(more) + xml[end:]).encode()}


def elsewhere(sheet: str) -> Maker:
    """The workbook looks for one of its sheets outside of the package."""

    def make(source: Path) -> Parts:
        xml = part(source, RELATIONS)
        return {RELATIONS: xml.replace(f"/{sheet}", "../../../../../../etc/passwd").encode()}

    return make


def together(*makers: Maker) -> Maker:
    """Several changes of the same part; the next one sees the one before."""

    def make(source: Path) -> Parts:
        parts: Parts = {}
        for n, maker in enumerate(makers):
            copy = source.with_name(f"{source.stem}_{n}.xlsx")
            parts |= maker(written(source, copy, parts))
            copy.unlink()
        return parts

    return make


LONG = "1" + Random("long").randbytes(10 * MB).translate(b"0123456789" * 25 + b"012345").decode()
"""Digits without a pattern: no bomb."""

REFUSED: Mapping[str, tuple[Maker, str]] = {
    "many parts": (many_parts, "parts; allowed"),
    "many bombs": (many_bombs, "zip bomb"),
    "many sheets": (many_sheets, "more than 2000 sheets"),
    "many names": (huge_workbook_part, "larger than"),
    "a long text": (edited(TRAIN, "A4", ">visit<", f">{LONG}<"), "A4 has more than 32767"),
    "a long number": (
        edited(TRAIN, "J7", "<v>.*</v>", f"<v>{LONG[:MB]}</v>"), "J7 has more than 32767",
    ),
    "a long formula": (
        edited(TRAIN, "J7", "<f.*</f>|<f.*/>", f"<f>{LONG[:MB]}</f>"), "J7 has more than 8192",
    ),
    "more data than there is": (
        together(config("rows", "1000000"), config("inputs", "8000")), "more cells than it holds",
    ),
    "many layers": (many_layers, "Config has more than 4000 rows"),
    "a part elsewhere": (elsewhere(TRAIN), "no sheet 'Train'"),
}  # fmt: skip


# --- harmless: nothing of it is touched


def bomb_within(source: Path) -> Parts:
    """An embedded workbook that is a bomb, within an embedded workbook."""
    inner = io.BytesIO(bytes(9 * MB))
    for _ in range(3):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as file:
            for n in range(4):
                file.writestr(f"{n}.xlsx", inner.getvalue())
        inner = outer
    return {"xl/embeddings/oleObject1.bin": inner.getvalue()}


def macros(source: Path) -> Parts:
    return with_macro(source, "Sub Workbook_Open()\nEnd Sub\n")


def with_macro(source: Path, code: str) -> Parts:
    """The parts that make an .xlsm of a workbook."""
    types = part(source, TYPES).replace(
        "openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        "ms-excel.sheet.macroEnabled.main+xml",
    )
    kind, name = "application/vnd.ms-office.vbaProject", "vbaProject.bin"
    override = f'<Override PartName="/xl/{name}" ContentType="{kind}"/></Types>'
    relation = (
        '<Relationship Id="rIdM" Type="http://schemas.microsoft.com/office/2006/relationships/'
        f'vbaProject" Target="{name}"/></Relationships>'
    )
    return {
        TYPES: types.replace("</Types>", override).encode(),
        RELATIONS: part(source, RELATIONS).replace("</Relationships>", relation).encode(),
        f"xl/{name}": vba.project_of(code),
    }


def names_of_paths(_: Path) -> Parts:
    evil = ("../../evil.txt", "/tmp/evil.txt", "C:\\evil.txt", "xl/../../evil.txt", "a\0b")
    return dict.fromkeys(evil, b"evil")


HARMLESS: Mapping[str, Maker] = {
    "a bomb within": bomb_within,
    "macros": macros,
    "names of paths": names_of_paths,
    "a shared text of a million": lambda _: {
        "xl/sharedStrings.xml": b'<sst count="4000000000" uniqueCount="4000000000"></sst>'
    },
}


# --- formulas that an engine has to survive


def _sheet(book: Workbook, formulas: Iterator[str]) -> None:
    sheet = book.create_sheet("more")
    for row, formula in enumerate(formulas, 1):
        sheet.cell(row, 1).value = formula


def chain(book: Workbook) -> None:
    _sheet(book, (f"=A{row + 1}+1" for row in range(1, 20_000)))


def cycle(book: Workbook) -> None:
    _sheet(book, (f"=A{row % 5000 + 1}+1" for row in range(1, 5001)))


def nested(book: Workbook) -> None:
    _sheet(book, iter(["=" + "(" * 4000 + "1" + ")" * 4000]))


def doubling(book: Workbook) -> None:
    _sheet(book, iter(["xxxxxxxx", *(f"=A{row}&A{row}" for row in range(1, 60))]))


def endless(book: Workbook) -> None:
    """Sums of sums: little memory, and more time than anybody has."""
    numbers = book.create_sheet("numbers")
    for row in range(1, 20_001):
        numbers.cell(row, 1).value = row
    _sheet(book, (f"=SUM(numbers!A$1:A$20000)+{row}" for row in range(1, 20_001)))


def outside(book: Workbook) -> None:
    """What asks other programs, files or the network."""
    url = "http://127.0.0.1:9/"
    formulas = [
        f'=_xlfn.WEBSERVICE("{url}")', f"='{url}[b.xlsx]S'!A1", "=[1]S!A1", "=cmd|'/C calc'!A0",
        '=DDE("soffice","/etc/passwd","A1")', f'=HYPERLINK("{url}")',
        '=INDIRECT("\'[b.xlsx]S\'!A1")',
        '=IMAGE("http://127.0.0.1:9/")', '=CALL("kernel32","WinExec","JCJ","calc",0)',
    ]  # fmt: skip
    _sheet(book, iter(formulas))


def with_formulas(source: Path, target: Path, put: Callable[[Workbook], None]) -> Path:
    book = openpyxl.load_workbook(source)
    put(book)
    book.save(target)
    return target


COMMANDS = (
    ("verify", "b.xlsx"), ("train", "b.xlsx"), ("export", "b.xlsx", "-o", "out.xlsx"),
    ("code", "b.xlsx", "-o", "out.py"), ("diff", "base.xlsx", "b.xlsx"), ("lint", "b.xlsx"),
    ("new", "out.toml", "--data", "b.xlsx", "--target", "y"),
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a command on a book ended, its seconds of a processor, and bytes taken up to then."""

    book: str
    command: str
    status: int
    said: str
    left: list[str]
    seconds: float
    memory: int


def measure(books: Sequence[Path], base: Path, folder: Path) -> Iterator[Ended]:
    """Run all commands on each book, in this process, with an empty folder to work in."""
    os.chdir(folder)
    shutil.copyfile(base, "base.xlsx")
    for book in books:
        shutil.copyfile(book, "b.xlsx")
        for command in COMMANDS:
            start = time.process_time()
            result = run(*command)
            seconds = time.process_time() - start
            if not isinstance(result.exception, SystemExit | None):
                raise result.exception
            left = sorted(path.name for path in folder.iterdir())
            for path in folder.glob("out*"):
                path.unlink()
            yield Ended(
                book.stem, command[0], result.exit_code, result.stderr, left, seconds, _peak()
            )


def _peak() -> int:
    """The most bytes that this process had (``ru_maxrss`` counts those of its parent, too)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    first, work, *others = map(Path, sys.argv[1:])
    for ended in measure(others, first, work):
        print(json.dumps(asdict(ended)))
