"""Broken and hostile workbooks: one line, status 2, and nothing printed behind our back."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import assert_one_line, assert_refused, export_kinds, in_cell, read_all, rewrite
from faults import rewrite_sheet as rewritten
from support import run

from sheetnet import verify
from sheetnet.errors import WorkbookError
from sheetnet.regions import TRAIN

Xml = Callable[[str], str]

TRAIN_PART = "xl/worksheets/sheet5.xml"


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_kinds(tmp_path_factory.mktemp("kinds"))["line"]


def prologue(text: str) -> Xml:
    """Put a document type behind the XML declaration, where there is one."""
    return lambda xml: re.sub(r"^(<\?xml.*?\?>)?", lambda found: found.group() + text, xml, count=1)


# --- XML that attacks its reader

BOMB = "".join(
    ["<!DOCTYPE b [<!ENTITY a0 'ha'>"]
    + [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)]
    + ["]>"]
)


@pytest.mark.parametrize(
    "part",
    [
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "docProps/app.xml",
        "xl/worksheets/sheet2.xml",
        TRAIN_PART,
    ],
)
def test_a_document_type_is_refused_in_every_part_that_is_read(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], part: str
) -> None:
    path = rewrite(line, tmp_path / "bad.xlsx", {part: prologue("<!DOCTYPE x>")})
    assert_refused(path, capfd, "document type")


@pytest.mark.parametrize(
    "start",
    [
        BOMB,
        "<!DOCTYPE b [<!ENTITY a11 SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE b SYSTEM 'http://127.0.0.1:9/x.dtd'>",
        "<!DOCTYPE b [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]>",
    ],
    ids=["bomb", "file", "dtd", "parameter"],
)
@pytest.mark.parametrize("part", ["xl/workbook.xml", TRAIN_PART])
def test_entities_are_refused(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], part: str, start: str
) -> None:
    def fault(xml: str) -> str:
        return prologue(start)(xml).replace(">visit<", ">&a11;<").replace('"Init"', '"&a11;"')

    assert_refused(rewrite(line, tmp_path / "bad.xlsx", {part: fault}), capfd)


@pytest.mark.parametrize(
    "fault",
    [
        lambda xml: xml.replace(">visit<", ">&nowhere;<"),
        lambda xml: xml.replace("encoding='utf-8'", "encoding='martian'"),
        lambda xml: xml.replace("encoding='utf-8'", "encoding='utf-7'"),
        lambda xml: xml.replace("</sheetData>", ""),
        lambda xml: xml[: len(xml) // 2],
        lambda xml: "",
    ],
    ids=["entity", "encoding", "utf-7", "unclosed", "half", "empty"],
)
def test_broken_xml(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], fault: Xml
) -> None:
    path = rewritten(line, tmp_path / "bad.xlsx", TRAIN, fault)
    with pytest.raises(WorkbookError, match="damaged"):
        read_all(path)
    assert_one_line(path, capfd)


# --- zips


@pytest.mark.parametrize("tenths", range(10))
def test_a_truncated_file(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], tenths: int
) -> None:
    content = line.read_bytes()
    path = tmp_path / "cut.xlsx"
    path.write_bytes(content[: len(content) * tenths // 10])
    assert_refused(path, capfd, "not an xlsx workbook")


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("part", [TRAIN_PART, "xl/sharedStrings.xml"])
def test_a_zip_bomb(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], part: str, packing: int
) -> None:
    """16 MB of blanks pack to 16 kB, at best 1:1032 with deflate; real ledgers stay below 1:20.

    A file of 4 MB would otherwise unpack to 4 GB, and twice that in memory.
    """
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(line) as old, zipfile.ZipFile(path, "w", packing) as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
        content = old.read(part) if part in old.namelist() else b"<sst></sst>"
        end = content.rindex(b"</")
        new.writestr(part, content[:end] + b" " * 16_000_000 + content[end:])
    assert path.stat().st_size < 100_000
    assert_refused(path, capfd, "zip bomb")


def test_a_part_that_is_there_twice(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Which of them counts is up to each reader."""
    path = tmp_path / "twice.xlsx"
    path.write_bytes(line.read_bytes())
    with zipfile.ZipFile(path, "a") as package, pytest.warns(UserWarning, match="Duplicate name"):
        package.writestr(TRAIN_PART, package.read(TRAIN_PART))
    assert_refused(path, capfd, "twice.xlsx")


def test_a_part_that_bears_another_name(line: Path, tmp_path: Path) -> None:
    """Of a part too that sheetnet does not read: other applications would repair the file."""
    content = line.read_bytes()
    with zipfile.ZipFile(line) as package:
        part = package.getinfo("xl/theme/theme1.xml")
    at = part.header_offset + 30
    assert content[at : at + 8] == b"xl/theme"
    (tmp_path / "b.xlsx").write_bytes(content[:at] + b"xl/thema" + content[at + 8 :])
    with pytest.raises(WorkbookError, match=r"damaged: the head of part 'xl/theme/theme1\.xml'"):
        verify(tmp_path / "b.xlsx")


def test_flipped_bytes_never_end_in_a_traceback(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random("flip")
    content = line.read_bytes()
    statuses = set()
    for _ in range(100):
        flipped = bytearray(content)
        for _ in range(chance.choice((1, 2, 5))):
            flipped[chance.randrange(len(flipped))] = chance.randrange(256)
        path = tmp_path / "flipped.xlsx"
        path.write_bytes(bytes(flipped))
        result = run("verify", path)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert result.exit_code in (0, 1, 2)
        assert result.stderr.count("\n") == (result.exit_code == 2)
        statuses.add(result.exit_code)
    assert 2 in statuses


# --- what cells and rows may say


def test_a_dimension_that_lies_does_no_harm(line: Path, tmp_path: Path) -> None:
    """17 billion cells, says the sheet; nothing is allocated for them."""

    def fault(xml: str) -> str:
        return re.sub(r'(<dimension ref=)"[^"]*"', r'\1"A1:XFD1048576"', xml)

    parts = {f"xl/worksheets/sheet{n}.xml": fault for n in range(1, 5)}
    assert verify(rewrite(line, tmp_path / "wide.xlsx", parts)).agree


REFERENCES = ["XFE7", "ZZZZZZZ7", "J1048577", "J0", "J-7", "7", "J", "", "7J", "J7K", "ÄÄ7", "$J$7"]


@pytest.mark.parametrize("reference", [*REFERENCES, "J99999999999999999999", "J٧"])
def test_a_cell_reference_out_of_range(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], reference: str
) -> None:
    fault = in_cell("J7", 'r="J7"', f'r="{reference}"')
    assert_refused(rewritten(line, tmp_path / "bad.xlsx", TRAIN, fault), capfd, "damaged")


@pytest.mark.parametrize("row", ["0", "-1", "1048577", "99999999999999999999", "x", ""])
def test_a_row_out_of_range(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], row: str
) -> None:
    """Counted from the end, row -1 would lay its cells over those of the last visit."""
    extra = f'<row r="{row}"><c><v>1</v></c></row></sheetData>'
    path = rewritten(
        line, tmp_path / "bad.xlsx", TRAIN, lambda xml: xml.replace("</sheetData>", extra)
    )
    assert_refused(path, capfd, "damaged")


def test_a_cell_that_is_there_twice(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The formula of the first would hide that the second, which counts, is a pasted value."""

    def fault(xml: str) -> str:
        return re.sub(r'<c r="J7".*?(<v>.*?</v></c>)', r'\g<0><c r="J7">\1', xml)

    assert_refused(rewritten(line, tmp_path / "bad.xlsx", TRAIN, fault), capfd, "J7")


@pytest.mark.parametrize("index", [5, 99999, -1, "x"])
@pytest.mark.parametrize(("title", "cell"), [("Train", "A4"), ("Config", "A6"), ("Data", "B5")])
def test_a_shared_text_that_is_not_there(
    line: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    title: str,
    cell: str,
    index: int | str,
) -> None:
    fault = in_cell(cell, 't="inlineStr".*</is>', f't="s"><v>{index}</v>')
    assert_refused(rewritten(line, tmp_path / "bad.xlsx", title, fault), capfd, "damaged")


@pytest.mark.parametrize("number", ["abc", "1_0", "0x10", "1,5", "", "nan", "inf", "1e999"])
def test_a_value_that_is_no_number(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], number: str
) -> None:
    fault = in_cell("B6", "<v>.*</v>", f"<v>{number}</v>")
    assert_refused(rewritten(line, tmp_path / "bad.xlsx", "Data", fault), capfd)


def test_what_the_engine_prints_is_kept_from_json(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A type that IronCalc does not know makes it write to the standard output itself."""
    fault = in_cell("C5", 't="n"', 't="d"')
    path = rewritten(line, tmp_path / "odd.xlsx", "Config", fault)
    result = run("verify", path, "--json")
    assert result.stdout.startswith("{")
    assert capfd.readouterr() == ("", "")
