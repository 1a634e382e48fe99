"""A first look at a sheet: each cell as it is met, of a sheet whose size is not known yet."""

from __future__ import annotations

import contextlib
import math
import re
import zipfile
from collections.abc import Callable, Iterator

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

from sheetnet.errors import WorkbookError
from sheetnet.limits import unescaped
from sheetnet.reader.handlers import CellHandlers
from sheetnet.reader.package import MAX_META, Package, parse_part

See = Callable[[int, int, float | str, int], bool]
"""(row, column, number or text, style) -> whether to go on."""

STYLES = "xl/styles.xml"

_LAST_ROW = re.compile(r":[A-Za-z]+([0-9]+)$")


class _EnoughSeen(Exception):  # noqa: N818 - no error: it ends the parsing
    """The rest of the sheet need not be read."""


def scan(package: Package, title: str, see: See) -> int | None:
    """Show each cell with a value to ``see`` until that has seen enough.

    Errors and booleans are texts, cells without a value are not shown. Returns the last
    row of the sheet as the file declares it before the cells, None where it does not.
    Raises :class:`WorkbookError` for a broken sheet.
    """
    if title not in package.sheets:
        raise WorkbookError(f"{package.path.name} has no sheet {title!r}")
    scanner = _Scanner(package.strings, see)
    with contextlib.suppress(_EnoughSeen):
        parse_part(package, package.sheets[title], scanner.handlers)
    return scanner.last_row


class _Scanner(CellHandlers):
    """Shows each cell."""

    def __init__(self, strings: tuple[str, ...], see: See) -> None:
        super().__init__()
        self.strings, self.see = strings, see
        self.style = 0
        self.last_row: int | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        name = self.tags[tag]
        if name == "c":
            self.style = int(attributes.get("s", "0"))
        elif name == "dimension":
            found = _LAST_ROW.search(attributes.get("ref", ""))
            self.last_row = int(found[1]) if found else None

    def cell(self) -> None:
        if self.value and not self.see(self.row, self.column, self._content(), self.style):
            raise _EnoughSeen

    def _content(self) -> float | str:
        text = "".join(self.value)
        if self.kind == "n":
            number = float(text)
            return number if math.isfinite(number) else text
        return self.strings[int(text)] if self.kind == "s" else unescaped(text)


def date_styles(package: Package) -> frozenset[int]:
    """The styles that show a number as a date or a time: what a person typed was one."""
    with zipfile.ZipFile(package.path) as parts:
        if STYLES not in parts.namelist():
            return frozenset()
        if parts.getinfo(STYLES).file_size > MAX_META:
            raise WorkbookError(f"{package.path.name}: {STYLES} is larger than {MAX_META} bytes")
    formats = dict(BUILTIN_FORMATS)
    styles: list[int] = []
    within: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("|")[2]
        if name == "numFmt" and "numFmts" in within:
            formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name == "xf" and within[-1:] == ["cellXfs"]:
            styles.append(int(attributes.get("numFmtId", "0")))
        within.append(name)

    def end(_: str) -> None:
        within.pop()

    parse_part(package, STYLES, {"StartElementHandler": start, "EndElementHandler": end})
    return frozenset(_dated(styles, formats))


def _dated(styles: list[int], formats: dict[int, str]) -> Iterator[int]:
    for index, number_format in enumerate(styles):
        code = formats.get(number_format)
        if code is not None and is_date_format(code):
            yield index
