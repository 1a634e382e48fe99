"""A workbook read as it was exported, and why that cannot be where its structure was changed."""

from __future__ import annotations

from sheetnet.differences import shown
from sheetnet.editing.book import read_edited
from sheetnet.errors import SheetnetError, WorkbookError
from sheetnet.reader.inputs import Recalculate
from sheetnet.reader.package import Package
from sheetnet.reader.workbook import Book, read_book
from sheetnet.regions import CHECKS, EXERCISE


def read_exported(package: Package, recalculate: Recalculate) -> Book:
    """Read a workbook whose sheets must be laid out as ``Config`` says.

    Where they are not, the error tells what was changed of what is fixed at export. An
    exercise holds no whole training.
    """
    if {EXERCISE, CHECKS} <= set(package.sheets):
        name = package.path.name
        raise WorkbookError(f"{name} is an exercise, with cells left blank: sheetnet grade {name}")
    try:
        return read_book(package, recalculate)
    except WorkbookError as error:
        told = _changed(package, recalculate)
        if told is None:
            raise
        name = package.path.name
        raise WorkbookError(
            f"{name}: what is fixed at export was changed ({told}): sheetnet export {name} makes a "
            f"new workbook of it; as it stands, {error}"
        ) from None


def _changed(package: Package, recalculate: Recalculate) -> str | None:
    """What was changed, None where nothing was, or where that cannot be told."""
    try:
        structure = read_edited(package, recalculate).changes.structure
    except SheetnetError:
        return None
    told = (f"{found.name}: {shown(found.a)}, now {shown(found.b)}" for found in structure)
    return "; ".join(told) or None
