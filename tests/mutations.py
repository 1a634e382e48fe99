"""Faults of many kinds, drawn from a seed and put straight into a workbook's XML.

Each knows the cells, or the name, that it touches: a report must name one of them. Faults
that change nothing are left out by what they write, never by what the verifier says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from packages import REFERENCE, WORKBOOK, Cell, Package, Sheet, at, column_number, place, shown

ANCHORS = ("visit", "epoch", "update", "sample", "cell", "point", "x[1]")
"""One of them is the leftmost in each row of plain names."""

LEDGERS = ("Train", "Validation", "Epochs")
"""Sheets whose rows are all their own: rows of the others have panels beside them."""

_NUMBER = re.compile(r"(?<![\w.$\"!\[])(\d+(?:\.\d+)?(?:E[+-]?\d+)?)(?![\w(!:\"])")
_COMPARISON = {">=": ">", "<=": "<", ">": "<", "<": ">", "=": "<>"}


@dataclass(frozen=True)
class Mutation:
    """A fault: its kind, the sheet it is counted for, what it touches, what it writes.

    ``cells`` are ``Train!B7``; ``words`` are texts one of which an error or a failure must
    name where there are no cells (a defined name, a sheet). ``parts`` are the new parts.
    """

    kind: str
    sheet: str
    what: str
    parts: Mapping[str, str]
    cells: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()


@dataclass
class Draw:
    """A workbook, and what chance takes from it."""

    package: Package
    chance: Random

    def __post_init__(self) -> None:
        self.titles = [t for t, sheet in self.package.sheets.items() if sheet.formulas]
        # The heads of Step are words beside its boxes, below which people choose.
        self.heads = {t: list(_heads(self.package.sheets[t])) for t in self.titles if t != "Step"}
        self.fixed = {t: list(_fixed(self.package.sheets[t], self.heads[t])) for t in self.heads}

    def sheet(self, *, needs: Mapping[str, Sequence[object]] | None = None) -> Sheet | None:
        """Any sheet with formulas, or with what is needed."""
        titles = [t for t in self.titles if needs is None or needs.get(t)]
        return self.package.sheets[self.chance.choice(titles)] if titles else None

    def formula(self) -> tuple[Sheet, Cell]:
        """Any formula: of any sheet, of any of its different formulas, in any of its rows."""
        sheet = self.sheet()
        assert sheet is not None
        by_form: dict[str | None, list[Cell]] = {}
        for cell in sheet.formulas:
            by_form.setdefault(cell.relative, []).append(cell)
        return sheet, self.chance.choice(by_form[self.chance.choice(list(by_form))])

    # --- what faults write

    def one(self, kind: str, sheet: Sheet, cell: Cell, new: Cell | None) -> Mutation | None:
        """Other contents of one cell; None where they are the same."""
        if new is not None and (new.formula, new.kind, new.content) == (
            cell.formula,
            cell.kind,
            cell.content,
        ):
            return None
        return self.several(kind, sheet, {cell.address: new})

    def several(
        self, kind: str, sheet: Sheet, new: Mapping[str, Cell | None], what: str | None = None
    ) -> Mutation:
        """Other contents of some cells, None: the element is gone."""
        edits = {a: None if cell is None else cell.xml() for a, cell in new.items()}
        told = "; ".join(
            f"{sheet.title}!{a}: {_told(sheet.cells[a])} -> {_told(cell)}"
            for a, cell in list(new.items())[:3]
        )
        cells = frozenset(f"{sheet.title}!{a}" for a in new)
        return Mutation(kind, sheet.title, what or told, {sheet.part: sheet.edited(edits)}, cells)

    def rewritten(
        self, kind: str, sheet: Sheet, cell: Cell, old: str, new: str, touched: Sequence[Cell]
    ) -> Mutation:
        """A piece of one element's own XML."""
        own = sheet.xml[cell.start : cell.end]
        assert own.count(old) == 1, f"{own} has no single {old}"
        xml = sheet.xml[: cell.start] + own.replace(old, new) + sheet.xml[cell.end :]
        cells = frozenset(f"{sheet.title}!{c.address}" for c in touched)
        what = f"{sheet.title}!{cell.address}: {old} -> {new}"
        return Mutation(kind, sheet.title, what, {sheet.part: xml}, cells)

    def book(self, kind: str, old: str, new: str, words: tuple[str, ...]) -> Mutation:
        """A piece of the part that names sheets and names."""
        xml = self.package.workbook
        assert xml.count(old) == 1
        what = f"{old} -> {new or 'nothing'}"
        return Mutation(kind, "(names)", what, {WORKBOOK: xml.replace(old, new)}, words=words)


Kind = Callable[[Draw], Mutation | None]


def _told(cell: Cell | None) -> str:
    if cell is None or cell.empty:
        return "nothing"
    return f"={cell.formula} ({cell.value})" if cell.formula is not None else f"{cell.value!r}"


def _heads(sheet: Sheet) -> Iterator[Cell]:
    """The cells of rows of plain names."""
    for cells in sheet.rows.values():
        anchors = [c for c in cells if c.value in ANCHORS and c.formula is None]
        anchors = [c for c in anchors if _is_number(_below(sheet, c))]
        if anchors:
            first = min(place(c.address)[1] for c in anchors)
            yield from (
                c for c in cells
                if place(c.address)[1] >= first and c.value and c.number is None
            )  # fmt: skip


def _below(sheet: Sheet, cell: Cell, rows: int = 1) -> Cell | None:
    row, column = place(cell.address)
    return sheet.cells.get(at(row + rows, column))


def _is_number(cell: Cell | None) -> bool:
    return cell is not None and (cell.formula is not None or cell.number is not None)


def _fixed(sheet: Sheet, heads: Sequence[Cell]) -> Iterator[Cell]:
    """Constants below plain names: visits, samples, uniforms, Python's numbers."""
    for head in heads:
        rows = 1
        while (cell := _below(sheet, head, rows)) is not None and cell.number is not None:
            if cell.formula is not None:
                break
            yield cell
            rows += 1


# --- in the text of one formula


def _edited(kind: str, change: Callable[[Draw, Sheet, Cell, str], str | None]) -> Kind:
    def make(draw: Draw) -> Mutation | None:
        sheet, cell = draw.formula()
        assert cell.formula is not None
        text = change(draw, sheet, cell, cell.formula)
        if text is None or text == cell.formula:
            return None
        new = cell.with_content(text, cell.kind, cell.content)
        return None if new.relative == cell.relative else draw.one(kind, sheet, cell, new)

    return make


def _piece(
    draw: Draw, text: str, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]
) -> str | None:
    """Replace one of the places where a pattern is found outside of texts."""
    quoted = [m.span() for m in re.finditer(r'"[^"]*"', text)]
    found = [m for m in pattern.finditer(text) if not any(a <= m.start() < b for a, b in quoted)]
    if not found:
        return None
    match = draw.chance.choice(found)
    return text[: match.start()] + new(match) + text[match.end() :]


def _added(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    return f"{text}{draw.chance.choice(['+1', '*2', '-0.001', '/3'])}" if cell.kind == "n" else None


def _operator(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    other = {"+": "-", "-": "+", "*": "/", "/": "*"}
    pattern = re.compile(r"(?<=[\w)\]])[-+*/](?=[\w($])")
    return _piece(draw, text, pattern, lambda m: other[m[0]])


def _comparison(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    return _piece(
        draw, text, re.compile(r">=|<=|<(?!>)|(?<!<)>|(?<![<>])="), lambda m: _COMPARISON[m[0]]
    )


def _negated(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str:
    return f"-({text})"


def _shift_row(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    def new(m: re.Match[str]) -> str:
        row = int(m[4]) + draw.chance.choice([-1, 1])
        return f"{m[1]}{m[2]}{m[3]}{row or 2}"

    return _piece(draw, text, REFERENCE, new)


def _shift_column(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    def new(m: re.Match[str]) -> str:
        column = column_number(m[2]) + draw.chance.choice([-1, 1])
        letters = at(1, column or 2)[:-1]
        return f"{m[1]}{letters}{m[3]}{m[4]}"

    return _piece(draw, text, REFERENCE, new)


def _dollar(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    def new(m: re.Match[str]) -> str:
        row = "" if m[3] else "$"
        return f"{m[1]}{m[2]}{row}{m[4]}"

    return _piece(draw, text, REFERENCE, new)


def _constant(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    def new(m: re.Match[str]) -> str:
        number = float(m[1])
        other = number + draw.chance.choice([1.0, 0.5, -3.0])
        return m[1] if other == number else repr(other)

    return _piece(draw, text, _NUMBER, new)


def _hard_coded(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    names = draw.package.names
    pattern = re.compile(rf"\b({'|'.join(names)})\b(?![!(\[])")

    def new(m: re.Match[str]) -> str:
        title, _, address = names[m[1]].partition("!")
        return str(draw.package.sheets[title].cells[address.replace("$", "")].value)

    return _piece(draw, text, pattern, new)


def _other_name(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    names = list(draw.package.names)
    if len(names) < 2:
        return None
    pattern = re.compile(rf"\b({'|'.join(names)})\b(?![!(\[])")
    return _piece(draw, text, pattern, lambda m: names[names.index(m[1]) - 1])


def _other_sheet(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    pattern = re.compile(rf"\b({'|'.join(draw.package.sheets)})!")
    titles = list(draw.package.sheets)
    return _piece(draw, text, pattern, lambda m: f"{titles[titles.index(m[1]) - 1]}!")


def _function(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    other = {
        "EXP": "LN", "LN": "EXP", "TANH": "SINH", "MAX": "MIN", "MIN": "MAX", "SUM": "AVERAGE",
        "AVERAGE": "SUM", "SUMPRODUCT": "SUM", "SQRT": "ABS", "ABS": "SQRT", "SIGN": "ABS",
        "SUMSQ": "SUM", "COUNT": "SUM", "INDEX": "MATCH", "AND": "OR", "OR": "AND",
    }  # fmt: skip
    return _piece(draw, text, re.compile(rf"\b({'|'.join(other)})(?=\()"), lambda m: other[m[1]])


def _range_cut(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    """A range that ends a row or a column too early, or too late."""

    def new(m: re.Match[str]) -> str:
        column, row = m[3], int(m[5])
        first_column, first_row = m[2], int(m[1][len(m[1].rstrip("0123456789")) :])
        if row != first_row:
            return f"{m[1]}:{m[2]}{column}{m[4]}{row - 1}"
        return f"{m[1]}:{first_column}{at(1, column_number(column) + 1)[:-1]}{m[4]}{row}"

    pattern = re.compile(r"(\$?[A-Z]{1,3}\$?\d+):(\$?)([A-Z]{1,3})(\$?)(\d+)")
    return _piece(draw, text, pattern, new)


def _arguments(draw: Draw, sheet: Sheet, cell: Cell, text: str) -> str | None:
    """The two values of an IF changed over."""
    match = re.fullmatch(r"(IF\([^(),]*(?:\([^()]*\))?[^(),]*),([^(),]+),([^(),]+)\)", text)
    return None if match is None else f"{match[1]},{match[3]},{match[2]})"


# --- contents of one cell


def _put(kind: str, content: Callable[[Draw, Sheet, Cell], tuple[str, str] | None]) -> Kind:
    """Something else in place of a formula."""

    def make(draw: Draw) -> Mutation | None:
        sheet, cell = draw.formula()
        found = content(draw, sheet, cell)
        if found is None:
            return None
        return draw.one(kind, sheet, cell, cell.with_content(None, *found))

    return make


def _pasted(draw: Draw, sheet: Sheet, cell: Cell) -> tuple[str, str]:
    return cell.kind, cell.content


def _wrong(draw: Draw, sheet: Sheet, cell: Cell) -> tuple[str, str] | None:
    return None if cell.number is None else shown(_away(draw, sheet, cell))


def _away(draw: Draw, sheet: Sheet, cell: Cell) -> float:
    """A number that is not the cell's, in units of its column or of itself."""
    assert cell.number is not None
    largest = sheet.largest(cell)
    if abs(cell.number) > 1e-3 * largest and draw.chance.random() < 0.5:
        return cell.number * draw.chance.choice([1.01, 0.5, -1.0, 10.0])
    return cell.number + largest * draw.chance.choice([0.01, -0.3, 2.0])


def _text(draw: Draw, sheet: Sheet, cell: Cell) -> tuple[str, str]:
    return shown(draw.chance.choice(["n/a", "0.5 or so", cell.value or "x", "=A1", " "]))


def _error(draw: Draw, sheet: Sheet, cell: Cell) -> tuple[str, str] | None:
    if cell.kind == "e":
        return None
    return "e", f"<v>{draw.chance.choice(['#N/A', '#NUM!', '#REF!', '#DIV/0!'])}</v>"


def _boolean(draw: Draw, sheet: Sheet, cell: Cell) -> tuple[str, str]:
    return "b", f"<v>{draw.chance.choice([0, 1])}</v>"


def _gone(draw: Draw) -> Mutation:
    sheet, cell = draw.formula()
    return draw.several("element gone", sheet, {cell.address: None})


def _reference_error(draw: Draw) -> Mutation | None:
    sheet, cell = draw.formula()
    new = cell.with_content("#REF!", "e", "<v>#REF!</v>")
    return draw.one("#REF! for formula", sheet, cell, new)


def _twice(draw: Draw) -> Mutation:
    sheet, cell = draw.formula()
    xml = sheet.xml[: cell.end] + cell.xml() + sheet.xml[cell.end :]
    name = f"{sheet.title}!{cell.address}"
    return Mutation("cell there twice", sheet.title, name, {sheet.part: xml}, words=(cell.address,))


# --- saved values


def _saved(draw: Draw) -> Mutation | None:
    sheet, cell = draw.formula()
    if cell.number is None:
        return None
    new = _as_saved(cell, *shown(_away(draw, sheet, cell)))
    return _changes_saved(draw, "saved value altered", sheet, cell, new)


def _saved_odd(draw: Draw) -> Mutation | None:
    sheet, cell = draw.formula()
    kind, content = draw.chance.choice(
        [("str", "<v>nothing known</v>"), ("e", "<v>#VALUE!</v>"), ("b", "<v>1</v>")]
    )
    if kind == cell.kind:
        return None
    return _changes_saved(draw, "saved value odd", sheet, cell, _as_saved(cell, kind, content))


def _as_saved(cell: Cell, kind: str, content: str) -> Cell:
    return cell.with_content(cell.formula, kind, content)


def _changes_saved(draw: Draw, kind: str, sheet: Sheet, cell: Cell, new: Cell) -> Mutation:
    """The formula stays as it stands, shared or not."""
    own = sheet.xml[cell.start : cell.end]
    found = re.search(r"<f[ >/].*?(?:/>|</f>)", own, re.DOTALL)
    assert found is not None
    style = f' s="{cell.style}"' if cell.style else ""
    element = f'<c r="{cell.address}"{style} t="{new.kind}">{found[0]}{new.content}</c>'
    xml = sheet.xml[: cell.start] + element + sheet.xml[cell.end :]
    name = f"{sheet.title}!{cell.address}"
    told = f"{name}: {cell.value} -> {new.value}"
    return Mutation(kind, sheet.title, told, {sheet.part: xml}, frozenset({name}))


# --- fixed cells and heads


def _on_fixed(kind: str, content: Callable[[Draw, Sheet, Cell], tuple[str, str] | None]) -> Kind:
    def make(draw: Draw) -> Mutation | None:
        sheet = draw.sheet(needs=draw.fixed)
        if sheet is None:
            return None
        cell = draw.chance.choice(draw.fixed[sheet.title])
        found = content(draw, sheet, cell)
        if found is None:
            return None
        return draw.one(kind, sheet, cell, cell.with_content(None, *found))

    return make


def _fixed_formula(draw: Draw) -> Mutation | None:
    sheet = draw.sheet(needs=draw.fixed)
    if sheet is None:
        return None
    cell = draw.chance.choice(draw.fixed[sheet.title])
    new = cell.with_content(f"{cell.value}+0", cell.kind, cell.content)
    return draw.one("formula in fixed cell", sheet, cell, new)


def _blank(draw: Draw, sheet: Sheet, cell: Cell) -> tuple[str, str]:
    return "n", ""


def _as_text(draw: Draw, sheet: Sheet, cell: Cell) -> tuple[str, str] | None:
    return None if cell.value is None else shown(cell.value)


def _head(draw: Draw) -> Mutation | None:
    sheet = draw.sheet(needs=draw.heads)
    if sheet is None:
        return None
    cell = draw.chance.choice(draw.heads[sheet.title])
    texts = [f"{cell.value}x", "W9[9,9]", str(cell.value).upper()]
    content = draw.chance.choice([*(shown(t) for t in texts if t != cell.value), ("n", "")])
    return draw.one("column name", sheet, cell, cell.with_content(None, *content))


# --- cells and rows that change places


def _neighbour(draw: Draw, sheet: Sheet, cell: Cell) -> Cell | None:
    row, column = place(cell.address)
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    draw.chance.shuffle(steps)
    for down, right in steps:
        other = sheet.cells.get(
            at(row + down, column + right) if row + down and column + right else ""
        )
        if other is not None and other.formula is not None:
            return other
    return None


def _moved(cell: Cell, other: Cell) -> Cell:
    """What ``other`` holds, in the place of ``cell``, as cut and pasted."""
    return cell.with_content(other.formula, other.kind, other.content)


def _swapped_cells(draw: Draw) -> Mutation | None:
    sheet, cell = draw.formula()
    other = _neighbour(draw, sheet, cell)
    if other is None or cell.formula == other.formula:
        return None
    return draw.several(
        "cells swapped",
        sheet,
        {cell.address: _moved(cell, other), other.address: _moved(other, cell)},
    )


def _filled(draw: Draw) -> Mutation | None:
    """A formula filled into its neighbour, as somebody drags it."""
    sheet, cell = draw.formula()
    other = _neighbour(draw, sheet, cell)
    if other is None or other.relative == cell.relative:
        return None
    text = translated(other, cell.address)
    if text is None:
        return None
    return draw.one(
        "filled from neighbour", sheet, cell, cell.with_content(text, cell.kind, cell.content)
    )


def translated(cell: Cell, address: str) -> str | None:
    """Its formula as filled into another cell; None where it would leave the sheet."""
    rows, columns = (b - a for a, b in zip(place(cell.address), place(address), strict=True))
    if not (rows or columns):
        return None

    def new(m: re.Match[str]) -> str:
        row = int(m[4]) + (0 if m[3] else rows)
        column = column_number(m[2]) + (0 if m[1] else columns)
        return f"{m[1]}{at(1, column)[:-1] if column else 'A'}{m[3]}{row or 1}"

    text = REFERENCE.sub(new, cell.formula or "")
    back = cell.with_content(text, cell.kind, cell.content)
    return text if back.formula != cell.formula or rows or columns else None


def _body_rows(draw: Draw, sheet: Sheet) -> list[int]:
    """Rows below the plain names that hold formulas."""
    first = max(place(c.address)[0] for c in draw.heads[sheet.title])
    return sorted(
        r for r, cells in sheet.rows.items() if r > first and any(c.formula for c in cells)
    )


def _swapped_rows(draw: Draw) -> Mutation | None:
    """Two rows of a ledger, all that they hold; or what formulas hold in rows of another sheet."""
    sheet = draw.sheet()
    assert sheet is not None
    whole = sheet.title in LEDGERS
    rows = (
        _body_rows(draw, sheet)
        if whole
        else [r for r, c in sheet.rows.items() if any(x.formula for x in c)]
    )
    if len(rows) < 2:
        return None
    upper, lower = sorted(draw.chance.sample(rows, 2))
    new: dict[str, Cell | None] = {}
    for cell in sheet.rows[upper]:
        other = sheet.cells.get(at(lower, place(cell.address)[1]))
        if other is None or not (whole or (cell.formula and other.formula)):
            continue
        if cell.formula == other.formula and cell.content == other.content:
            continue
        new[cell.address], new[other.address] = _moved(cell, other), _moved(other, cell)
    if not new:
        return None
    return draw.several("rows swapped", sheet, new, f"{sheet.title}: rows {upper} and {lower}")


def _last_rows(draw: Draw) -> tuple[Sheet, int] | None:
    sheet = draw.sheet(needs={t: [1] for t in LEDGERS if t in draw.titles})
    return None if sheet is None else (sheet, max(_body_rows(draw, sheet)))


def _row_deleted(draw: Draw) -> Mutation | None:
    found = _last_rows(draw)
    if found is None:
        return None
    sheet, last = found
    new = {c.address: None for c in sheet.rows[last] if not c.empty}
    return draw.several("last row deleted", sheet, new, f"{sheet.title}: row {last}")


def _row_moved_up(draw: Draw) -> Mutation | None:
    """A row deleted within, and those below moved up: the last one is missing."""
    found = _last_rows(draw)
    if found is None:
        return None
    sheet, last = found
    rows = _body_rows(draw, sheet)
    if len(rows) < 3:
        return None
    gone = draw.chance.choice(rows[1:-1])
    new: dict[str, Cell | None] = {}
    for row in range(gone, last):
        for cell in sheet.rows[row]:
            below = sheet.cells.get(at(row + 1, place(cell.address)[1]))
            if below is not None:
                text = below.formula and translated(below, cell.address)
                new[cell.address] = cell.with_content(text or None, below.kind, below.content)
    new |= {c.address: None for c in sheet.rows[last]}
    return draw.several("row taken out", sheet, new, f"{sheet.title}: row {gone}")


def _row_added(draw: Draw) -> Mutation | None:
    """The last row once more, below the end."""
    found = _last_rows(draw)
    if found is None:
        return None
    sheet, last = found
    cells = []
    for cell in sheet.rows[last]:
        address = at(last + 1, place(cell.address)[1])
        text = cell.formula and translated(cell, address)
        moved = cell.with_content(text or None, cell.kind, cell.content)
        cells.append(moved.xml().replace(f'r="{cell.address}"', f'r="{address}"', 1))
    row = f'<row r="{last + 1}">{"".join(cells)}</row>'
    end = sheet.xml.index("</row>", sheet.rows[last][-1].end) + len("</row>")
    following = re.match(r'<row r="(\d+)"', sheet.xml[end:])
    if following is not None and int(following[1]) == last + 1:
        return None
    xml = sheet.xml[:end] + row + sheet.xml[end:]
    names = frozenset(
        f"{sheet.title}!{at(last + 1, place(c.address)[1])}" for c in sheet.rows[last]
    )
    return Mutation("row added", sheet.title, f"row {last + 1}", {sheet.part: xml}, names)


# --- shared formulas


def _group(draw: Draw) -> tuple[Sheet, list[Cell]] | None:
    sheet = draw.sheet(needs={t: list(self.groups) for t, self in draw.package.sheets.items()})
    if sheet is None:
        return None
    return sheet, sheet.groups[draw.chance.choice(list(sheet.groups))]


def _range_of_shared_cut(draw: Draw) -> Mutation | None:
    found = _group(draw)
    if found is None or len(found[1]) < 2:
        return None
    sheet, group = found
    first, keep = group[0], draw.chance.randrange(1, len(group))
    reach = f"{first.address}:{group[keep - 1].address}"
    return draw.rewritten(
        "shared range cut", sheet, first, f'ref="{first.range}"', f'ref="{reach}"', group[keep:]
    )


def _shared_text(draw: Draw) -> Mutation | None:
    """The text that all of them share."""
    found = _group(draw)
    if found is None:
        return None
    sheet, group = found
    first = group[0]
    own = sheet.xml[first.start : first.end]
    text = re.search(r"<f[^>]*>(.*?)</f>", own, re.DOTALL)
    assert text is not None
    return draw.rewritten(
        "shared text changed", sheet, first, f">{text[1]}</f>", f">1+{text[1]}</f>", group
    )


def _shared_number(draw: Draw) -> Mutation | None:
    """A cell takes part in another shared formula, or in none that there is."""
    found = _group(draw)
    if found is None or len(found[1]) < 2:
        return None
    sheet, group = found
    cell = draw.chance.choice(group[1:])
    others = [
        g[0]
        for g in sheet.groups.values()
        if g[0].start < cell.start and g[0].relative != cell.relative
    ]
    number = draw.chance.choice([other.shared for other in others] + ["9999"])
    return draw.rewritten(
        "another shared formula", sheet, cell, f'si="{cell.shared}"', f'si="{number}"', [cell]
    )


def _array(draw: Draw) -> Mutation | None:
    sheet, cell = draw.formula()
    plain = cell.xml().replace("<f>", f'<f t="array" ref="{cell.address}">')
    name = f"{sheet.title}!{cell.address}"
    xml = sheet.edited({cell.address: plain})
    return Mutation("array formula", sheet.title, name, {sheet.part: xml}, frozenset({name}))


# --- names and sheets


def _name_redirected(draw: Draw) -> Mutation | None:
    names = draw.package.names
    name = draw.chance.choice(list(names))
    title, _, cell = names[name].rpartition("!")
    row, column = place(cell.replace("$", ""))
    target = draw.chance.choice(
        [f"{title}!${at(1, column)[:-1]}${row + 1}", f"{title}!{at(row, column)}", "0.5",
         *(other for other in names.values() if other != names[name])]
    )  # fmt: skip
    old = f'<definedName name="{name}">{names[name]}<'
    return draw.book("name redirected", old, f'<definedName name="{name}">{target}<', (name,))


def _name_gone(draw: Draw) -> Mutation:
    name = draw.chance.choice(list(draw.package.names))
    old = f'<definedName name="{name}">{draw.package.names[name]}</definedName>'
    return draw.book("name deleted", old, "", (name,))


def _name_renamed(draw: Draw) -> Mutation:
    name = draw.chance.choice(list(draw.package.names))
    old = f'<definedName name="{name}">'
    return draw.book("name renamed", old, f'<definedName name="{name}_1">', (name,))


def _name_shadowed(draw: Draw) -> Mutation:
    """A name of one sheet that hides the workbook's."""
    names = draw.package.names
    name = draw.chance.choice(list(names))
    sheet = draw.chance.randrange(len(draw.package.sheets))
    other = draw.chance.choice(["Config!$B$9", *names.values()])
    new = f'<definedName name="{name}" localSheetId="{sheet}">{other}</definedName></definedNames>'
    return draw.book("name shadowed", "</definedNames>", new, (name,))


def _named(title: str) -> str:
    return f' name="{title}" sheetId='


def _sheet_renamed(draw: Draw) -> Mutation:
    title = draw.chance.choice([t for t in draw.package.sheets if t != "Guide"])
    return draw.book("sheet renamed", _named(title), _named("Mine"), (title,))


def _sheets_changed_over(draw: Draw) -> Mutation:
    """Two sheets under each other's names."""
    titles = [t for t in draw.package.sheets if t != "Guide"]
    one, two = draw.chance.sample(titles, 2)
    xml = draw.package.workbook
    new = xml.replace(_named(one), _named("\0"))
    new = new.replace(_named(two), _named(one)).replace(_named("\0"), _named(two))
    assert new != xml
    what = f"{one} and {two}"
    return Mutation("sheets changed over", "(names)", what, {WORKBOOK: new}, words=(one, two))


KINDS: tuple[Kind, ...] = (
    _edited("formula changed", _added),
    _edited("operator changed", _operator),
    _edited("comparison changed", _comparison),
    _edited("sign changed", _negated),
    _edited("reference shifted by a row", _shift_row),
    _edited("reference shifted by a column", _shift_column),
    _edited("dollar too few or too many", _dollar),
    _edited("constant in formula", _constant),
    _edited("value for a name", _hard_coded),
    _edited("another name", _other_name),
    _edited("another sheet", _other_sheet),
    _edited("function changed", _function),
    _edited("range in formula cut", _range_cut),
    _edited("arguments changed over", _arguments),
    _put("right value pasted", _pasted),
    _put("wrong value pasted", _wrong),
    _put("blank", _blank),
    _put("text", _text),
    _put("error value", _error),
    _put("boolean", _boolean),
    _gone,
    _reference_error,
    _twice,
    _saved,
    _saved_odd,
    _on_fixed("fixed cell altered", _wrong),
    _on_fixed("fixed cell blank", _blank),
    _on_fixed("fixed cell as text", _as_text),
    _on_fixed("fixed cell an error", _error),
    _fixed_formula,
    _head,
    _swapped_cells,
    _filled,
    _swapped_rows,
    _row_deleted,
    _row_moved_up,
    _row_added,
    _range_of_shared_cut,
    _shared_text,
    _shared_number,
    _array,
    _name_redirected,
    _name_gone,
    _name_renamed,
    _name_shadowed,
    _sheet_renamed,
    _sheets_changed_over,
)


def mutations(package: Package, count: int, seed: str) -> Iterator[Mutation]:
    """So many faults, all kinds in turn where the workbook has a place for them."""
    draw = Draw(package, Random(seed))
    made = turn = 0
    kinds = list(KINDS)
    draw.chance.shuffle(kinds)
    while made < count:
        for _ in range(20):
            found = kinds[turn % len(kinds)](draw)
            if found is not None:
                made += 1
                yield found
                break
        turn += 1
