"""The formulas of ``Compare``."""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.concepts import cells
from sheetnet.concepts.cells import Cells
from sheetnet.formula import Formula, Listed, same
from sheetnet.forward_formulas import cells_of, columns_of
from sheetnet.regions import Region, address, letter
from sheetnet.stretches import SIGN, apart, signed
from sheetnet.views.compare_inputs import Inputs
from sheetnet.views.compare_layout import (
    AT_UPDATE,
    BEYOND,
    CHANGED,
    DIFFERENCE,
    FIRST_BEYOND,
    LARGEST,
    LARGEST_ROW,
    NAME_ROW,
    PYTHON,
    QUANTITY,
    SIZE_ROW,
    STATUS_ROW,
    VALUE_ROW,
    CompareLayout,
)
from sheetnet.views.view import Live

TOLERANCE_NAME = "tolerance"

NO_NUMBER = 1e300
"""Stands for a difference where only one side has a number, or where it is too large."""

NEARLY = 0.999999
"""A difference of this share of the largest counts as the largest: engines differ by a hair."""

NOWHERE = "none"

MATCH = "Match: this workbook and Python have the same training, number by number."
DIFFER = (
    "Differ: this workbook has other numbers than Python had. "
    "sheetnet verify names the first cell that differs."
)
CHANGED_HEAD = "Changed since export: "
CHANGED_TAIL = ". Python's numbers here are of before: sheetnet verify will retrain Python on it."
UNREAD = (
    "Not recalculated yet: all numbers here are Python's own. Excel compares them when "
    "editing is enabled, LibreOffice on Ctrl+Shift+F9."
)

_ROW = "{t}"
"""The row of ``Train``."""


def table_formulas(layout: CompareLayout) -> tuple[Formula | None, ...]:
    """The formula of each column of the table; None for places and Python's numbers."""
    refs = cells_of(layout.ledger)
    stops = layout.train.network.stops
    if stops:
        refs = apart(refs)
    step, sign = Listed(_ROW, layout.train_rows), SIGN if stops else ""
    found: dict[str, list[Formula]] = {}
    spans: list[str] = []
    for block in layout.quantities:
        live = _cells(layout, block.name, sign)
        update = f"u{block.name}"
        if update in layout.train.ledger:
            pairs = zip(live, _cells(layout, update, sign), strict=True)
            live = [f"{text}+{other}" for text, other in pairs]
        found[block.name] = [same(text, step) for text in live]
        python, own = refs[PYTHON + block.name], refs[block.name]
        found[DIFFERENCE + block.name] = [
            same(_difference(p, s)) for p, s in zip(python, own, strict=True)
        ]
        spans.extend(refs[DIFFERENCE + block.name])
    span = Cells(tuple(spans)).span
    largest, beyond = refs["largest"][0], refs["beyond"][0]
    found["largest"] = [same(_largest(span, "COLUMNS"))]
    found["beyond"] = [same(f"IF(SIGN({largest}-{TOLERANCE_NAME})>0,1,0)")]
    found["worst"] = [same(f"IF({beyond}=1,{_is_worst(largest)},0)")]
    return columns_of(layout.ledger, signed(found))


def _cells(layout: CompareLayout, name: str, sign: str) -> list[str]:
    """The cells of a quantity in a row of ``Train``."""
    sheets, size = layout.train.on_sheets, layout.train.ledger[name].size
    places = (sheets.place(name, i) for i in range(size))
    return [f"{sheet}!{sign}{column}{_ROW}" for sheet, column in places]


def _difference(python: str, own: str) -> str:
    size = python.replace("{r}", f"${SIZE_ROW}")
    return (
        f"IF(COUNT({python},{own})=2,({own}-{python})/MAX(ABS({python}),{size}),"
        f"IF(COUNT({python},{own})=1,1E+300,0))"
    )


def _largest(span: str, count: str) -> str:
    """The largest magnitude of a row or a column of differences."""
    return f"IF(COUNT({span})={count}({span}),MAX(MAX({span}),-MIN({span})),1E+300)"


def _is_worst(largest: str) -> str:
    """1 where it is the largest of all."""
    return f"IF(SIGN({largest}-{NEARLY}*${letter(LARGEST)}${VALUE_ROW})<0,0,1)"


def single_cells(layout: CompareLayout, inputs: Inputs) -> Iterator[Live]:
    """The formulas that stand by themselves."""
    main, first = layout.main, layout.section(DIFFERENCE)
    flags = Region(main.sheet, layout.flag_row, first, 1, layout.width)
    names = Region(main.sheet, NAME_ROW, layout.section(""), 1, layout.width)
    largest = address(VALUE_ROW, LARGEST)
    beyond, changed = address(VALUE_ROW, BEYOND), address(VALUE_ROW, CHANGED)
    update, at = _fixed(layout.column("update")), layout.column

    def where(answers: str, found: str) -> str:
        return f'IF({beyond}>0,{cells.among(answers, found)},"{NOWHERE}")'

    text = f'IF({beyond}=0,"{MATCH}","{DIFFER}")'
    text = f'IF({changed}>0,"{CHANGED_HEAD}"&{inputs.names}&"{CHANGED_TAIL}",{text})'
    yield Live(STATUS_ROW, 1, text, "status")
    yield Live(VALUE_ROW, LARGEST, f"MAX({_fixed(at('largest'))})", "largest difference")
    worst = f"MATCH(1,{_fixed(at('worst'))},0)"
    yield Live(VALUE_ROW, AT_UPDATE, where(update, worst), "update of the largest difference")
    text = where(_fixed(names), f"1,MATCH(1,{_fixed(flags)},0)")
    yield Live(VALUE_ROW, QUANTITY, text, "quantity of the largest difference")
    text = where(update, f"MATCH(1,{_fixed(at('beyond'))},0)")
    yield Live(VALUE_ROW, FIRST_BEYOND, text, "first update beyond the tolerance")
    text = f"SUM({_fixed(at('beyond'))})"
    yield Live(VALUE_ROW, BEYOND, text, "updates beyond the tolerance")
    text = f"SUM({_fixed(inputs.changed)})"
    yield Live(VALUE_ROW, CHANGED, text, "inputs that have changed")
    labels = [label for b in layout.quantities for label in b.labels]
    for column, label in enumerate(labels, first):
        span = f"{address(main.row, column)}:{address(main.last_row, column)}"
        largest = address(LARGEST_ROW, column)
        text = _largest(span, "ROWS")
        yield Live(LARGEST_ROW, column, text, f"largest difference of {label}")
        text = f"IF(SIGN({largest}-{TOLERANCE_NAME})>0,{_is_worst(largest)},0)"
        yield Live(layout.flag_row, column, text, f"whether the largest difference is in {label}")
    yield from inputs.cells()


def _fixed(region: Region) -> str:
    first, last = address(region.row, region.column), address(region.last_row, region.last_column)
    return f"{first}:{last}"
