"""Copies of a workbook that differ from it in some small parts, for engines to read."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from defusedxml.ElementTree import fromstring, tostring

from sheetnet.errors import WorkbookError
from sheetnet.reader.package import MAX_META, reading

RELATIONS = ".rels"


def copied(path: Path, target: Path, changed: Mapping[str, bytes]) -> Path:
    """Copy a workbook, with other contents of some parts."""
    if not changed:
        shutil.copyfile(path, target)
        return target
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for part in source.infolist():
            if part.filename in changed:
                copy.writestr(part.filename, changed[part.filename])
                continue
            with source.open(part) as old, copy.open(part.filename, "w") as new:
                shutil.copyfileobj(old, new)
    return target


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
