"""Opening xlsx packages from anywhere: what a zip may hold before anything is parsed."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from sheetnet.errors import WorkbookError

MAX_UNPACKED = 4 * 1024**3
"""Bytes that all parts of a workbook may have unpacked."""

MAX_RATIO = 200
"""Unpacked over packed size of one large part; real sheets of formulas stay below 60."""

LEAST_BOMB = 10_000_000
"""Bytes unpacked up to which no ratio makes a bomb, of a part or of all together."""

MAX_PARTS = 10_000

MAX_BOOK, MAX_SHEETS = 4 * 1024**2, 2_000
"""Bytes of the part that names sheets and names, and sheets: readers take long over many."""

CONTENT_TYPES, BOOK = "[Content_Types].xml", "xl/workbook.xml"


BOOK_SUFFIXES = (".xlsx", ".xlsm", ".xltx", ".xltm")

_ZIP = b"PK\x03\x04"


def is_book(path: Path) -> bool:
    """Whether a file is a workbook, by its name or by how it begins."""
    if path.suffix.lower() in BOOK_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_ZIP)) == _ZIP
    except (OSError, ValueError):
        return False


def check_package(path: Path) -> None:
    """Raise :class:`WorkbookError` unless the file is an xlsx of bearable size.

    The sizes are those the zip's directory declares; reading a part stops there too.
    """
    try:
        with zipfile.ZipFile(path) as package:
            _check(package, path.name)
    except FileNotFoundError:
        raise WorkbookError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise WorkbookError(f"{path} is a folder, not a workbook") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise WorkbookError(f"{path.name} is not an xlsx workbook") from None
    except (zlib.error, EOFError, RuntimeError) as error:
        raise WorkbookError(f"{path.name} is damaged: {error}") from None
    except OSError as error:
        raise WorkbookError(f"{path} cannot be read ({error.strerror or error})") from None


def _check(package: zipfile.ZipFile, name: str) -> None:
    parts = package.infolist()
    if len(parts) > MAX_PARTS:
        raise WorkbookError(f"{name} has {len(parts)} parts; allowed: {MAX_PARTS}")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED:
        raise WorkbookError(
            f"{name} unpacks to {unpacked / 1e9:.1f} GB; allowed: {MAX_UNPACKED / 1e9:.1f} GB"
        )
    for part in parts:
        if _is_bomb(part.file_size, part.compress_size):
            raise WorkbookError(f"{name}: part {part.filename!r} is a zip bomb")
    if _is_bomb(unpacked, sum(part.compress_size for part in parts)):
        raise WorkbookError(f"{name}: its parts together are a zip bomb")
    names = package.namelist()
    if len(set(names)) != len(names):
        raise WorkbookError(f"{name} holds a part twice: which one counts is unclear")
    if CONTENT_TYPES not in names or BOOK not in names:
        raise WorkbookError(f"{name} is not an xlsx workbook")
    for part in parts:
        try:
            package.open(part).close()  # reads what stands before the part
        except zipfile.BadZipFile:
            raise WorkbookError(
                f"{name} is damaged: the head of part {part.filename!r} is not that of the list"
            ) from None
    if package.getinfo(BOOK).file_size > MAX_BOOK:
        raise WorkbookError(f"{name}: part {BOOK} is larger than {MAX_BOOK} bytes")
    if package.read(BOOK).count(b"sheetId") > MAX_SHEETS:
        raise WorkbookError(f"{name} has more than {MAX_SHEETS} sheets")


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > LEAST_BOMB and unpacked > MAX_RATIO * packed
