"""``Step`` as people see it: matrices as drawn by hand, inputs above, units at the side."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Border, Side
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.formula import fetches
from sheetnet.forward_formulas import FED
from sheetnet.layout import Layout
from sheetnet.ledger import Ledger, input_of
from sheetnet.network import Layer
from sheetnet.pipeline import GRADIENT, stages_of
from sheetnet.problem import Problem
from sheetnet.regions import STEP, Region, letter
from sheetnet.views.step_layout import (
    BEFORE,
    CHECK_ROW,
    DOWN,
    LABEL_COLUMN,
    NEW,
    PANEL_HEAD_ROW,
    PANEL_ROW,
    UP,
    WEIGHT_COLUMN,
    StepLayout,
)
from sheetnet.views.step_parts import Block, Box
from sheetnet.views.view import View
from sheetnet.workbook import inputs, styles
from sheetnet.workbook.headers import slot_title, subscript
from sheetnet.workbook.init import output_name
from sheetnet.workbook.notes import note
from sheetnet.workbook.step_chosen import (
    LISTED,
    mark_checks,
    mark_chosen,
    write_check,
    write_chosen,
    write_list,
)
from sheetnet.workbook.stream import Stream
from sheetnet.workbook.styles import FormulaText, put
from sheetnet.workbook.watch import Tables

_RED = Side(style="medium", color="C00000")

_DETAIL = 1
"""Outline level of rows that fold away."""


def write_step(
    book: Workbook, problem: Problem, layout: Layout, view: View, tables: Tables
) -> Sequence[Stream]:
    """Add the sheet; all of it are single cells."""
    assert not tables
    sheet = book.create_sheet(STEP)
    step = StepLayout(problem.network, layout.ledger, compares=not layout.bugs)
    styles.title(
        sheet,
        "Step",
        "One visit under the microscope: choose a step, and a weight to see why it changes. "
        "Everything is recomputed here from the step's inputs and weights.",
    )
    styles.back(sheet, 3)
    last = _widths(sheet, step)
    _panel(book, sheet, step, view)
    formats = _formats(layout.ledger)
    for block in (*step.blocks, *step.nudged):
        _block(sheet, problem, layout.ledger, block, formats)
    write_chosen(sheet, problem, step)
    write_check(sheet, step)
    if step.compares:
        write_list(sheet, step)
    for cell in view.cells:
        held = sheet.cell(cell.row, cell.column)
        held.value = FormulaText(f"={cell.text}")
        if fetches(cell.text):
            held.font = styles.LINK
    mark_chosen(sheet, step, lambda box: _shown(box, formats) == styles.FINE)
    mark_checks(sheet, step)
    _fine(sheet, step, formats)
    for row in range(step.nudged[0].row, step.list_row + 2 + len(step.listed)):
        if row != step.list_row:
            sheet.row_dimensions[row].outlineLevel = _DETAIL
    sheet.sheet_properties.outlinePr.summaryBelow = False
    styles.for_screen_and_page(sheet, f"B{CHECK_ROW + 1}", one_page_wide=last <= PAGE)
    return ()


PAGE = 40
"""Columns that can still be read on one printed page: many are narrow."""


def _widths(sheet: Worksheet, step: StepLayout) -> int:
    """Set the widths; return the last column in use."""
    last = step.group_column(len(step.parameter_groups)) - 2
    last = max(last, *(box.column for box in step.panel.values()))
    sheet.column_dimensions[letter(LABEL_COLUMN)].width = 20
    for column in range(LABEL_COLUMN + 1, last + 1):
        sheet.column_dimensions[letter(column)].width = 2 if column in step.gaps else 12.5
    return last


def _fine(sheet: Worksheet, step: StepLayout, formats: dict[str, str]) -> None:
    """After all rules for colours: of several LibreOffice shows the first one."""
    boxes = [box for block in (*step.blocks, *step.nudged) for box in block.boxes]
    found = [box for box in boxes if _shown(box, formats) == styles.FINE]
    found += [box for box in step.panel.values() if box.kind == "loss"]
    areas = [Region(STEP, box.row, box.column, box.rows, box.columns) for box in found]
    if step.compares:
        columns = zip(step.wide[1:], LISTED, strict=False)
        areas += [
            Region(STEP, step.list_row + 2, column, len(step.listed), 1)
            for column, shown in columns
            if shown == styles.FINE
        ]
    for region in areas:
        styles.fine(sheet, inputs.range_of(region))


def _shown(box: Box, formats: dict[str, str]) -> str:
    return formats.get(_plain(box.name), _format(box.kind))


def _formats(ledger: Ledger) -> dict[str, str]:
    return {block.name: _format(block.kind) for block in ledger.blocks}


def _format(kind: str) -> str:
    if kind in styles.FINE_KINDS:
        return styles.FINE
    return styles.WHOLE if kind == "place" else styles.NUMBER


def _panel(book: Workbook, sheet: Worksheet, step: StepLayout, view: View) -> None:
    choices = {choice.name: choice for choice in view.choices}
    for name, box in step.panel.items():
        head = put(
            sheet, PANEL_HEAD_ROW, box.column, name, styles.BOLD, styles.HEADER_FILL,
            align=styles.CENTRE,
        )  # fmt: skip
        choice = choices.get(name)
        if choice is None:
            cell = put(sheet, PANEL_ROW, box.column, None, styles.BODY, styles.tint(box.kind))
            cell.number_format = _format(box.kind) if box.kind == "loss" else styles.GENERAL
        else:
            head.comment = Comment(choice.meaning, "sheetnet", height=60, width=220)
            inputs.choice(book, sheet, choice)
            continue
        cell.alignment = styles.CENTRE
    put(sheet, CHECK_ROW, 1, None, styles.BOLD)


def _block(
    sheet: Worksheet, problem: Problem, ledger: Ledger, block: Block, formats: dict[str, str]
) -> None:
    layer = block.layer
    put(sheet, block.row, 1, _block_title(block), styles.HEADING)
    for group in block.groups:
        title, fill = _group_title(problem, layer, group.title), styles.band(group.kind)
        for column in range(group.column, group.column + group.columns):
            text = title if column == group.column else None
            put(sheet, block.row + 1, column, text, styles.BOLD, fill)
    for box in block.boxes:
        _heads(sheet, problem, ledger, block, box)
        _cells(sheet, box, _shown(box, formats))
    one = put(
        sheet, block.input_row, WEIGHT_COLUMN + layer.inputs, 1, styles.FIXED, styles.FIXED_FILL
    )
    one.alignment, one.border = styles.RIGHT, styles.BOX
    put(sheet, block.input_row, 1, "inputs ↓, units →", styles.NOTE)
    for j in range(layer.units):
        text = f"unit {j + 1}"
        if layer.index == len(problem.network.layers):
            text += f": {output_name(problem, j)}"
        put(sheet, block.input_row + 1 + j, 1, text, styles.BODY)


def _plain(name: str) -> str:
    """A quantity's name in the ledger, without marks."""
    return name.removesuffix(BEFORE).removesuffix(UP).removesuffix(DOWN)


def _block_title(block: Block) -> str:
    layer = block.layer
    text = f"Layer {layer.index}: {layer.units} × {layer.activation.name}"
    if not block.mark:
        return text
    return f"{text}, the chosen weight {block.mark} h"


def _group_title(problem: Problem, layer: Layer, title: str) -> str:
    l = subscript(layer.index)
    known = {
        GRADIENT: f"gradient ∂L/∂W{l}, ∂L/∂b{l}",
        "u": f"update ΔW{l}, Δb{l}",
        NEW: f"new W{l}, b{l}",
    }
    if title in known:
        return known[title]
    base, before, _ = title.partition(BEFORE)
    slots = {stage.slot.name for stage in stages_of(problem.network)}
    if base in slots:
        return f"{slot_title(base)}, before" if before else slot_title(base)
    return f"{title} W{l}, b{l}" if title.endswith("weights") else title


def _heads(sheet: Worksheet, problem: Problem, ledger: Ledger, block: Block, box: Box) -> None:
    """What stands above the columns of a box: a symbol, or the input that a weight meets."""
    row, layer = block.row + 2, block.layer
    if box.name.startswith(FED):
        return
    if "W" in box.name or box.kind in ("bias", "gradient", "state", "update", "weight"):
        feeds = input_of(problem.network, layer)
        names = [f"{feeds}[{i + 1}]" for i in range(box.columns)] if "W" in box.name else ["bias"]
        if layer.index == 1 and "W" in box.name:
            names = list(problem.table.input_names)
        for i, name in enumerate(names):
            put(sheet, row, box.column + i, name, styles.NOTE, align=styles.RIGHT)
        return
    cell = put(sheet, row, box.column, _symbol(block, box), styles.BOLD, align=styles.RIGHT)
    told = _told(problem, ledger, block, box)
    if told:
        cell.comment = Comment(told, "sheetnet", height=70, width=260)


_OWN = {
    "back": "∂L/∂a",
    "slope": "f′(z)",
    "delta": "δ",
    "da": "∂L/∂a",
    "zmax": "max z",
    "esum": "Σe",
}


def _symbol(block: Block, box: Box) -> str:
    base = _plain(box.name).rstrip("0123456789")
    below = "" if box.kind == "target" else subscript(block.layer.index)
    return _OWN.get(base, base) + below


def _told(problem: Problem, ledger: Ledger, block: Block, box: Box) -> str:
    """The note on a head: the formula in words and in mathematical notation."""
    base, activation = box.name.rstrip("0123456789"), block.layer.activation
    if base == "slope":
        return f"the slope of {activation.name}: {activation.slope_maths}"
    if base == "back":
        if block.layer.index == len(problem.network.layers):
            return f"∂L/∂a = {problem.network.loss.slope_maths}"
        return "∂L/∂a = Σⱼ δ[j]·W[j,i] of the layer after"
    if box.name not in ledger or box.kind == "target":
        return ""
    return note(problem, ledger[box.name], ("j",))


def _cells(sheet: Worksheet, box: Box, number_format: str) -> None:
    """Colours and borders: parameters boxed in red."""
    weight, bias = box.kind == "weight" and "W" in box.name, box.kind in ("weight", "bias")
    last_row, last_column = box.row + box.rows - 1, box.column + box.columns - 1
    for row, column in box.places:
        edges = styles.BOX
        if weight or bias:
            edges = Border(
                left=_RED if weight and column == box.column else edges.left,
                right=_RED if not weight and column == last_column else edges.right,
                top=_RED if row == box.row else edges.top,
                bottom=_RED if row == last_row else edges.bottom,
            )
        fill = None if weight or bias else styles.tint(box.kind)
        cell = put(sheet, row, column, None, styles.BODY, fill, border=edges)
        cell.number_format = number_format
