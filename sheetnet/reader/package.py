"""An xlsx package as it lies on disk: its sheets, names, texts and who saved it.

XML with a document type is refused: OOXML has none, and entities are how such files
attack their readers.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from sheetnet.errors import WorkbookError
from sheetnet.limits import unescaped
from sheetnet.package import check_package
from sheetnet.reader.alike import Cutter

MAX_META = 16 * 1024**2
"""Bytes of one of the small parts (workbook.xml, relationships, properties)."""

MAX_STRINGS, MAX_STRING_BYTES = 10_000_000, 256 * 1024**2
"""Shared texts, and bytes of their part: in memory they take up to four times that."""

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Name:
    """A defined name; ``sheet`` is the index of the sheet it is for, None for all."""

    name: str
    sheet: int | None
    text: str


@dataclass(frozen=True)
class Package:
    """What is needed to read sheets: ``sheets`` maps titles to parts, in order."""

    path: Path
    application: str
    sheets: Mapping[str, str]
    names: tuple[Name, ...]
    strings: tuple[str, ...]


def open_package(path: str | Path) -> Package:
    """Read what the package says of itself; raises :class:`WorkbookError`."""
    path = Path(path)
    check_package(path)
    with reading(path), zipfile.ZipFile(path) as package:
        book = _meta(package, "xl/workbook.xml")
        targets = _targets(package)
        sheets: dict[str, str] = {}
        titles: set[str] = set()
        for sheet in _all(book, "sheet"):
            identity = next((v for k, v in sheet.attrib.items() if _local(k) == "id"), "")
            title = sheet.attrib.get("name", "")
            if title.casefold() in titles:
                raise WorkbookError(f"{path.name} has two sheets named {title!r}")
            if identity in targets:
                titles.add(title.casefold())
                sheets[title] = targets[identity]
        names = tuple(
            Name(
                found.attrib.get("name", ""),
                int(found.attrib["localSheetId"]) if "localSheetId" in found.attrib else None,
                (found.text or "").strip(),
            )
            for found in _all(book, "definedName")
        )
        return Package(path, _application(package), sheets, names, tuple(_strings(package)))


class reading:  # noqa: N801 - used as a function
    """Turn what broken packages raise into one line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DefusedXmlException):
            raise WorkbookError(
                f"{self.path.name} holds XML with a document type or entities, which is refused"
            ) from None
        broken = (
            zipfile.BadZipFile,
            zlib.error,
            expat.ExpatError,
            ParseError,
            EOFError,
            LookupError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        )
        if isinstance(error, broken) and not isinstance(error, WorkbookError):
            raise WorkbookError(f"{self.path.name} is damaged: {error}") from None
        if isinstance(error, OSError):
            raise WorkbookError(f"{self.path} cannot be read ({error.strerror or error})") from None


def part_size(package: Package, part: str) -> int:
    """Bytes of a part, unpacked."""
    with reading(package.path), zipfile.ZipFile(package.path) as source:
        return source.getinfo(part).file_size


def parse_part(
    package: Package, part: str, handlers: Mapping[str, Any], cutter: Cutter | None = None
) -> None:
    """Run an expat parser with these handlers over a part, in pieces.

    ``cutter`` takes out rows that are alike before the parser reads them.
    """
    with reading(package.path), zipfile.ZipFile(package.path) as source, source.open(part) as file:
        parse_stream(file, handlers, cutter)


def parse_stream(
    file: IO[bytes], handlers: Mapping[str, Any], cutter: Cutter | None = None
) -> None:
    """Parse XML from a stream; a document type is an error."""
    parser = expat.ParserCreate(namespace_separator="|")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse_doctype
    for name, handler in handlers.items():
        setattr(parser, name, handler)
    while chunk := file.read(_CHUNK):
        for piece in (chunk,) if cutter is None else cutter.rest(chunk):
            parser.Parse(piece, False)
    parser.Parse(b"" if cutter is None else cutter.tail(), True)


def refuse_doctype(*_: object) -> None:
    """A handler of expat: a document type is an error."""
    raise DefusedXmlException


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _all(root: Any, tag: str) -> Iterator[Any]:
    return (element for element in root.iter() if _local(str(element.tag)) == tag)


def _meta(package: zipfile.ZipFile, part: str) -> Any:
    if package.getinfo(part).file_size > MAX_META:
        raise WorkbookError(f"part {part} is larger than {MAX_META} bytes")
    return fromstring(package.read(part), forbid_dtd=True)


def _targets(package: zipfile.ZipFile) -> dict[str, str]:
    """Relationship id -> part, for the workbook's parts."""
    root = _meta(package, "xl/_rels/workbook.xml.rels")
    found = {}
    names = set(package.namelist())
    for relation in _all(root, "Relationship"):
        target = relation.attrib.get("Target", "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        part = posixpath.normpath(part)
        if part in names:
            found[relation.attrib.get("Id", "")] = part
    return found


def _application(package: zipfile.ZipFile) -> str:
    """Who saved the file last, as it says itself; empty where it does not say."""
    if "docProps/app.xml" not in package.namelist():
        return ""
    root = _meta(package, "docProps/app.xml")
    return next((element.text or "" for element in _all(root, "Application")), "")


def _strings(package: zipfile.ZipFile) -> list[str]:
    """The shared texts: each ``si`` is the text of its ``t`` elements, phonetics left out."""
    part = "xl/sharedStrings.xml"
    if part not in package.namelist():
        return []
    if package.getinfo(part).file_size > MAX_STRING_BYTES:
        raise WorkbookError(f"part {part} is larger than {MAX_STRING_BYTES} bytes")
    found: list[str] = []
    pieces: list[str] = []
    inside = {"t": False, "rPh": False}

    def start(tag: str, _: object) -> None:
        name = tag.rpartition("|")[2]
        if name == "si":
            pieces.clear()
        elif name in inside:
            inside[name] = True

    def end(tag: str) -> None:
        name = tag.rpartition("|")[2]
        if name == "si":
            if len(found) >= MAX_STRINGS:
                raise ValueError(f"it has more than {MAX_STRINGS} shared texts")
            found.append(unescaped("".join(pieces)))
        elif name in inside:
            inside[name] = False

    def text(data: str) -> None:
        if inside["t"] and not inside["rPh"]:
            pieces.append(data)

    handlers = {
        "StartElementHandler": start,
        "EndElementHandler": end,
        "CharacterDataHandler": text,
    }
    with package.open(part) as file:
        parse_stream(file, handlers)
    return found
