"""Rows of a sheet that are alike, read without an XML parser.

Nearly all rows of a long sheet have the same markup: only the row's number, the values and
the texts of some formulas differ. A row that the parser has read becomes a likeness; rows
that equal it, byte by byte but for those, are taken out of the XML, and the parser gets all
the rest. What is unusual in any way (comments, other encodings, escaped texts, another order
of attributes) goes to the parser, so that there is one reading of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MAX_ROW = 1 << 24
"""Bytes of a row that are looked at; of longer ones the parser takes care."""

LIKENESSES = 4
"""Likenesses that are kept, the last used first: rows with and without an error, say."""

_ATTRIBUTES = rb'(?: [\w:.-]+="[^"<>&]*")*'
_ATTRIBUTE = re.compile(rb' ([\w:.-]+)="([^"]*)"')
_ROW = re.compile(rb"<row(" + _ATTRIBUTES + rb") ?>")
_CELL = re.compile(
    rb"<c(" + _ATTRIBUTES + rb") ?(?:/>|>"
    rb"(?:<f(" + _ATTRIBUTES + rb") ?(?:/>|>([^<>]+)</f>))?(?:<v>([^<>&]+)</v>)?</c>)"
)
_PLACE = re.compile(rb' r="([A-Z]{0,3})([1-9][0-9]{0,6})"')
_NUMBER = re.compile(rb'<row r="([1-9][0-9]{0,6})"')
_TEXT = re.compile(rb">([^<>]+)<")
_HERE, _BETWEEN = b"\0", b"\1"


@dataclass(frozen=True)
class Cell:
    """One cell of a likeness.

    ``kind`` is its type; ``shared`` the index of its shared formula; ``formula`` and
    ``value`` tell which of the row's texts they are, None: there is none.
    """

    letters: str
    kind: str
    shared: str | None
    formula: int | None
    value: int | None


@dataclass(frozen=True)
class Likeness:
    """The markup of a row, NUL in place of its number, and what its cells are."""

    markup: bytes
    cells: tuple[Cell, ...]


class Sink(Protocol):
    """What takes the rows."""

    def learned(self, row: int, likeness: Likeness) -> object | None:
        """Return how rows of a likeness are kept, or None: they are not."""

    def take(self, row: int, plan: object, texts: list[bytes]) -> bool:
        """Keep a row; False: leave it to the parser."""


class Cutter:
    """Takes rows that are alike out of the pieces of a sheet's XML."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.kept = b""
        self.begun = self.plain = False
        self.known: list[tuple[bytes, object]] = []

    def rest(self, piece: bytes) -> Iterator[bytes]:
        """Yield what the parser has to read, in order; it must do so at once."""
        data = self.kept + piece
        self.kept = b""
        if not self.begun and len(data) > 5:
            self.begun = True
            declared = re.match(rb"<\?xml[^>]*?\?>", data)
            said = re.search(rb"encoding=[\"']([^\"']*)", declared[0]) if declared else None
            self.plain = said is not None and said[1].upper() != b"UTF-8"
            if declared is not None:
                yield declared[0]
                data = data[declared.end() :]
        if self.plain:
            yield data
            return
        # From a comment, CDATA or an instruction on, a tag need not be one.
        strange = min((at for at in (data.find(b"<!"), data.find(b"<?")) if at >= 0), default=-1)
        yield from self._rows(data, len(data) if strange < 0 else strange, last=strange >= 0)

    def tail(self) -> bytes:
        """What is left at the end."""
        return self.kept

    def _rows(self, data: bytes, limit: int, *, last: bool) -> Iterator[bytes]:
        at = 0
        while (start := data.find(b"<row ", at, limit)) >= 0:
            end = data.find(b"</row>", start, limit) + len(b"</row>")
            if end < len(b"</row>"):
                break
            if start > at:
                yield data[at:start]
            row = data[start:end]
            if not self._taken(row):
                yield row
                self._learn(row)
            at = end
        if last:
            self.plain = True
            yield data[at:]
            return
        # A row, or else a tag, that has only begun waits for the next piece.
        cut = start if start >= 0 else max(at, data.rfind(b"<"))
        if start < 0 and b">" in data[cut:]:
            cut = len(data)
        if len(data) - cut > MAX_ROW:
            cut, self.plain = len(data), True
        yield data[at:cut]
        self.kept = data[cut:]

    def _taken(self, row: bytes) -> bool:
        number = _NUMBER.match(row)
        if number is None or not self.known:
            return False
        parts = _TEXT.split(row)
        markup = _BETWEEN.join(parts[0::2])
        for n, (likeness, plan) in enumerate(self.known):
            if markup == likeness.replace(_HERE, number[1]):
                if n:
                    self.known.insert(0, self.known.pop(n))
                return self.sink.take(int(number[1]), plan, parts[1::2])
        return False

    def _learn(self, row: bytes) -> None:
        """Keep the likeness of a row that the parser has read (so it is well-formed)."""
        found = _likeness(row)
        if found is None:
            return
        plan = self.sink.learned(*found)
        if plan is not None:
            markup = found[1].markup
            self.known = [known for known in self.known if known[0] != markup]
            self.known = [(markup, plan), *self.known[: LIKENESSES - 1]]

    def forget(self) -> None:
        """Drop all likenesses: a shared formula has begun anew."""
        self.known = []


def _likeness(row: bytes) -> tuple[int, Likeness] | None:
    """A row's number and likeness; None where any of it is unusual."""
    head = _ROW.match(row)
    number = _NUMBER.match(row)
    if head is None or number is None or _HERE in row or _BETWEEN in row:
        return None
    digits, at = number[1], head.end()
    marked, cells, texts = [b'<row r="' + _HERE + row[number.end(1) : at]], [], 0
    while (cell := _CELL.match(row, at)) is not None:
        place = _PLACE.search(cell[1])
        if place is None or not place[1] or place[2] != digits:
            return None
        kept = _cell(cell, place[1].decode(), texts)
        if kept is None:
            return None
        start = cell.start(1)
        marked += [row[at : start + place.start(2)], _HERE, row[start + place.end(2) : cell.end()]]
        cells.append(kept)
        texts += (kept.formula is not None) + (kept.value is not None)
        at = cell.end()
    if row[at:] != b"</row>":
        return None
    parts = _TEXT.split(b"".join((*marked, row[at:])))
    if len(parts) != 2 * texts + 1:
        return None
    return int(digits), Likeness(_BETWEEN.join(parts[0::2]), tuple(cells))


def _cell(found: re.Match[bytes], letters: str, texts: int) -> Cell | None:
    """What a cell is, None where it is unusual; ``texts`` are those before it in its row."""
    own = {key: value.decode() for key, value in _ATTRIBUTE.findall(found[1])}
    formula = {key: value.decode() for key, value in _ATTRIBUTE.findall(found[2] or b"")}
    kind = formula.get(b"t", "normal")
    text, value = found[3] is not None, found[4] is not None
    # The first cell of a shared formula, and what is no plain formula, are the parser's.
    plain = kind == "normal" and text == (found[2] is not None)
    if not (plain or (kind == "shared" and not text and b"ref" not in formula)):
        return None
    return Cell(
        letters=letters,
        kind=own.get(b"t", "n"),
        shared=formula.get(b"si", "") if kind == "shared" else None,
        formula=texts if text else None,
        value=texts + text if value else None,
    )
