"""Copies of a workbook that differ from it in some small parts, for engines to read."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from defusedxml.ElementTree import fromstring, tostring

from sheetnet.errors import WorkbookError
from sheetnet.reader.package import MAX_META, reading

RELATIONS = ".rels"

_SHEETS, _ROWS_END = "xl/worksheets/", b"</sheetData>"
_FORMATS = re.compile(rb"<conditionalFormatting[ >].*?</conditionalFormatting>", re.DOTALL)
_HIDING = (_ROWS_END, b"<!", b"-->", b"]]>")
"""What may make text of what looks like an element."""

_CHUNK = 1 << 20


def copied(path: Path, target: Path, changed: Mapping[str, bytes], *, formats: bool = True) -> Path:
    """Copy a workbook, with other contents of some parts, perhaps without conditional formats.

    These change no value, and an engine may take longer for them than for all the rest.
    """
    if formats and not changed:
        shutil.copyfile(path, target)
        return target
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for part in source.infolist():
            if part.filename in changed:
                copy.writestr(part.filename, changed[part.filename])
                continue
            place = zipfile.ZipInfo(part.filename)
            place.file_size = part.file_size  # tells whether it takes ZIP64
            with source.open(part) as old, copy.open(place, "w") as new:
                if not formats and part.filename.startswith(_SHEETS):
                    new.write(_without_formats(_rows_copied(old, new)))
                shutil.copyfileobj(old, new, _CHUNK)
    return target


def _without_formats(tail: bytes) -> bytes:
    return tail if any(sign in tail for sign in _HIDING) else _FORMATS.sub(b"", tail)


def _rows_copied(old: IO[bytes], new: IO[bytes]) -> bytes:
    """Copy up to the end of the rows; what was read of what follows, if that is short."""
    held = b""
    while chunk := old.read(_CHUNK):
        held += chunk
        end = held.find(_ROWS_END)
        if end >= 0:
            end += len(_ROWS_END)
            new.write(held[:end])
            return held[end:] + old.read(_CHUNK)
        keep = len(_ROWS_END)
        new.write(held[:-keep])
        held = held[-keep:]
    return held


def relations(path: Path, start: str = "") -> Iterator[tuple[str, bytes]]:
    """The parts that tell what others refer to, with names that begin like this."""
    with zipfile.ZipFile(path) as package:
        for part in package.infolist():
            if part.filename.startswith(start) and part.filename.endswith(RELATIONS):
                if part.file_size > MAX_META:
                    raise WorkbookError(f"part {part.filename} is larger than {MAX_META} bytes")
                yield part.filename, package.read(part)


def without_links(path: Path, target: Path) -> Path:
    """Copy a workbook without what refers to the world outside of it.

    LibreOffice fetches linked pictures whatever its settings say. Links of cells, sources
    of data and embedded objects that are elsewhere go with them; formulas stay.
    """
    changed = {}
    with reading(path):
        for name, content in relations(path):
            root = fromstring(content, forbid_dtd=True)
            outside = [relation for relation in root if _is_outside(relation)]
            for relation in outside:
                root.remove(relation)
            if outside:
                changed[name] = tostring(root)
        return copied(path, target, changed)


def _is_outside(relation: Any) -> bool:
    target = relation.attrib.get("Target", "")
    mode = relation.attrib.get("TargetMode", "Internal")
    return mode.casefold() != "internal" or ":" in target or target.startswith(("//", "\\"))
