"""``Predict``: the panel on the left, a picture, the tables they are made from."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.formatting.rule import ColorScale, FormatObject, Rule
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.styles.colors import Color
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.formula import fetches
from sheetnet.layout import Layout
from sheetnet.problem import Problem
from sheetnet.regions import PREDICT, Region, address, letter
from sheetnet.views.predict.columns import AT_UPDATE
from sheetnet.views.predict.facts import magnitude, sets_of
from sheetnet.views.predict.plan import (
    AGAINST,
    AT_ROW,
    BACK_ROW,
    CURVES,
    EPOCH_ROW,
    FIRST,
    FIRST_ROW,
    MAP,
    NAME,
    PICTURE_COLUMNS,
    SECOND,
    VISIT_ROW,
    Plan,
)
from sheetnet.views.predict.signs import signs_of
from sheetnet.views.predict.task import MAX_MATRIX
from sheetnet.views.view import View
from sheetnet.workbook import inputs, styles
from sheetnet.workbook.ledger_sheet import write_ledger
from sheetnet.workbook.predict_charts import add_against, add_curves
from sheetnet.workbook.predict_map import write_map
from sheetnet.workbook.stream import Stream
from sheetnet.workbook.styles import FormulaText, put
from sheetnet.workbook.watch import Tables

COUNTS = "FF8FBBE3"
"""Of the largest count of a matrix."""

_FRAME = Side(style="medium", color="1F3864")
FRAMED = Border(left=_FRAME, right=_FRAME, top=_FRAME, bottom=_FRAME)

_NOTES = {
    "input": "what is typed, as the network sees it",
    "weight": f"after {AT_UPDATE}: in use at its last visit on Train, plus what was added there",
    "bias": f"after {AT_UPDATE}: in use at its last visit on Train, plus what was added there",
}
"""On what is typed."""

_ONE_PAGE = 80
"""Rows that can still be read on one printed page."""

_NOTE_WIDTH = 14.0
"""Right of a panel that stands alone: its notes reach over there."""

_PICTURE_WIDTH = 10.0
_SMALL = Font(name=styles.FONT, size=9, color=styles.MUTED)


def write_predict(
    book: Workbook, problem: Problem, layout: Layout, view: View, tables: Tables
) -> Sequence[Stream]:
    """Add the sheet; return the rows of its tables."""
    sheet, plan = book.create_sheet(PREDICT), Plan(problem, layout)
    streams = _tables(sheet, plan, view, tables)
    styles.title(
        sheet,
        "Predict",
        "Type inputs, choose an update: what does the network say? Dropout is off.",
    )
    styles.back(sheet, BACK_ROW)
    _widths(sheet, plan)
    for live in view.cells:
        cell = sheet.cell(live.row, live.column, FormulaText(f"={live.text}"))
        if not plan.on_map(live.row, live.column):
            cell.font = styles.LINK if fetches(live.text) else styles.BODY
    _at_update(book, sheet, plan)
    _inputs(sheet, plan, view)
    _outputs(sheet, plan)
    _quality(sheet, plan)
    _matrices(sheet, plan)
    if plan.picture == MAP:
        _axes(sheet, plan, "axes of the map", ("from", "step", "typed is at", "in cell"))
        write_map(sheet, plan)
    elif plan.picture == CURVES:
        _axes(sheet, plan, "axis of the curves", ("from", "step"))
        add_curves(sheet, plan)
    elif plan.picture == AGAINST:
        _ends(sheet, plan)
        add_against(sheet, plan)
    sheet.sheet_view.zoomScale = 80
    styles.for_screen_and_page(sheet, f"A{FIRST_ROW - 1}")
    last = max(plan.axes_row + 5, plan.picture_last_row, plan.inputs_row + plan.inputs)
    end = plan.picture_end if plan.picture else plan.panel_end + 1
    sheet.print_area = f"A1:{address(last, end)}"
    if last <= _ONE_PAGE:
        sheet.page_setup.fitToHeight = 1
    return streams


def _tables(sheet: Worksheet, plan: Plan, view: View, tables: Tables) -> list[Stream]:
    titles = ("what is typed →", "rows of Data ↓", "points of the picture ↓")
    streams = []
    for table, blocks, title in zip(view.tables, tables, titles, strict=False):
        region = table.region
        streams.append(
            write_ledger(
                sheet,
                plan.problem,
                table.ledger,
                region,
                table.formulas,
                blocks,
                explained=_NOTES if region.rows == 1 else None,
            )
        )
        row = region.row if region.rows == 1 else region.row - 1
        align = styles.RIGHT
        put(sheet, row, region.column - 1, title, styles.HEADING, align=align)
    # Blocks of several tables stand in one column: none may be too narrow for another.
    for column in range(plan.tables_column, plan.tables_column + _widest(view)):
        sheet.column_dimensions[letter(column)].width = 12.5
    return streams


def _widest(view: View) -> int:
    return max(table.region.columns for table in view.tables)


def _widths(sheet: Worksheet, plan: Plan) -> None:
    def width(column: int, characters: float) -> None:
        sheet.column_dimensions[letter(column)].width = characters

    for column in range(1, plan.panel_end + 1):
        width(column, 13)
    for shift in {0, plan.shift}:
        width(NAME + shift, 22)
        width(SECOND + shift, 16)
    width(plan.panel_end + 1, 3)
    if plan.picture in (CURVES, AGAINST):
        for column in range(plan.picture_column, plan.picture_column + PICTURE_COLUMNS):
            width(column, _PICTURE_WIDTH)
    width(plan.tables_column - 2, 3 if plan.picture else _NOTE_WIDTH)
    width(plan.tables_column - 1, 22)


def _head(sheet: Worksheet, row: int, column: int, texts: Sequence[str], width: int = 0) -> None:
    """A section's line of headings, underlined."""
    for i in range(max(len(texts), width)):
        text = texts[i] if i < len(texts) else None
        cell = put(sheet, row, column + i, text, styles.HEADING, border=styles.UNDERLINE)
        cell.alignment = Alignment(horizontal="left" if i == 0 else "right", vertical="bottom")


def _at_update(book: Workbook, sheet: Worksheet, plan: Plan) -> None:
    put(sheet, AT_ROW, NAME, AT_UPDATE, styles.BOLD)
    cell = put(sheet, AT_ROW, FIRST, float(plan.updates), styles.INPUT, styles.INPUT_FILL)
    cell.border, cell.number_format, cell.alignment = styles.BOX, styles.WHOLE, styles.RIGHT
    note = f"of {plan.updates}; 0: the first weights"
    put(sheet, AT_ROW, SECOND, note, styles.NOTE, align=styles.INDENTED)
    at = Region(PREDICT, AT_ROW, FIRST, 1, 1)
    prompt = f"The weights after this update are used: 0 (the first ones) to {plan.updates}."
    inputs.whole(sheet, at, 0, plan.updates, AT_UPDATE, prompt)
    target = f"{PREDICT}!${letter(FIRST)}${AT_ROW}"
    book.defined_names[AT_UPDATE] = DefinedName(AT_UPDATE, attr_text=target)
    for row, name, note in (
        (VISIT_ROW, "visit", "its last row on Train"),
        (EPOCH_ROW, "epoch", f"of {plan.layout.epochs}"),
    ):
        put(sheet, row, NAME, name, styles.BODY)
        put(sheet, row, SECOND, note, styles.NOTE, align=styles.INDENTED)
        sheet.cell(row, FIRST).number_format = styles.WHOLE


def _inputs(sheet: Worksheet, plan: Plan, view: View) -> None:
    _head(sheet, plan.inputs_row, NAME, ("Type an input", "typed", "the network sees"))
    raw = plan.problem.inputs.raw
    for i, choice in enumerate(choice for choice in view.choices if not choice.defined):
        name = plan.problem.table.input_names[i]
        put(sheet, choice.row, NAME, name, styles.BODY)
        cell = put(sheet, choice.row, choice.column, choice.default, styles.INPUT)
        cell.fill, cell.border = styles.INPUT_FILL, styles.BOX
        cell.number_format = styles.GENERAL
        low, high = raw[: plan.problem.rows, i].min(), raw[: plan.problem.rows, i].max()
        prompt = f"A number; on Data it goes from {low:.6g} to {high:.6g}."
        inputs.numbers(sheet, Region(PREDICT, choice.row, choice.column, 1, 1), name, prompt)
        sheet.cell(choice.row, SECOND).number_format = number_format(
            magnitude(plan.problem.inputs.values[:, i])
        )


def number_format(size: float) -> str:
    """Digits that fit numbers up to this size."""
    if size and not 1e-3 <= size < 1e6:
        return "0.00E+00"
    digits = 4 if size < 10 else 2 if size < 1000 else 1
    return f"0.{'0' * digits}"


def _outputs(sheet: Worksheet, plan: Plan) -> None:
    task, shift, row = plan.task, plan.shift, plan.outputs_row
    output = "probability" if task.probabilities else "output a"
    third = "in its units" if task.numbers else "yes: 1" if task.labels else ""
    if task.classes and plan.picture == MAP and task.knows_right:
        third = "on the map"
    _head(sheet, row, NAME + shift, ("The prediction", output, third))
    first, second = FIRST + shift, SECOND + shift
    for k in range(max(plan.outputs, task.classes)):
        at = row + 1 + k
        name = sheet.cell(at, NAME + shift)
        if name.value is None:  # told apart by one output, of targets 0 and 1
            put(sheet, at, NAME + shift, k, styles.BODY)
        name.alignment = styles.LEFT
        size = magnitude(plan.problem.targets.values)
        sheet.cell(at, first).number_format = "0.0000" if task.classes else number_format(size)
        if task.numbers:
            size = magnitude(plan.problem.targets.raw[:, k])
            sheet.cell(at, second).number_format = number_format(size)
            sheet.cell(at, second).font = styles.BOLD
        elif third == "on the map":
            put(sheet, at, second, signs_of(plan)[k], styles.BODY, align=styles.RIGHT)
    if task.classes:
        put(sheet, plan.told_row, NAME + shift, "told", styles.BOLD)
        for column, fmt in ((first, styles.GENERAL), (second, "0.0000")):
            cell = sheet.cell(plan.told_row, column)
            cell.font, cell.number_format, cell.alignment = styles.BOLD, fmt, styles.RIGHT
            cell.fill = styles.BEST_FILL


def _quality(sheet: Worksheet, plan: Plan) -> None:
    task, shift, row = plan.task, plan.shift, plan.quality_row
    measure = task.network.measure.name
    _head(
        sheet, row, NAME + shift, ("All rows of Data", *(name for name, _, _ in sets_of(plan))), 3
    )
    names = ["mean loss", "RMSE" if task.numbers else measure]
    if plan.each_target:
        names[1] += ", scaled" if task.rescales else ", all targets"
        names += [f"RMSE of {name}" for name in plan.problem.table.target_names]
    for n, name in enumerate(names, 1):
        put(sheet, row + n, NAME + shift, name, styles.BODY)
        for column in range(FIRST + shift, FIRST + shift + len(sets_of(plan))):
            fmt = "0.0000" if n == 1 or task.numbers else "0.0%"
            if n > 2:
                fmt = number_format(magnitude(plan.problem.targets.raw[:, n - 3]))
            sheet.cell(row + n, column).number_format = fmt
            sheet.cell(row + n, column).font = styles.BODY if n == 1 else styles.BOLD


def _matrices(sheet: Worksheet, plan: Plan) -> None:
    task, shift = plan.task, plan.shift
    if task.knows_right and not task.has_matrix:
        text = f"{task.classes} classes: a confusion matrix is shown up to {MAX_MATRIX}"
        put(sheet, plan.quality_row + plan.quality_rows + 2, NAME + shift, text, styles.NOTE)
    for (name, _, _), head in zip(sets_of(plan), plan.matrix_rows, strict=False):
        _head(sheet, head, NAME + shift, (f"Confusion, {name}",), 1 + task.classes)
        put(sheet, head + 1, NAME + shift, "true class ↓, told →", styles.NOTE)
        for k in range(task.classes):
            across, down = (
                sheet.cell(head + 1, FIRST + shift + k),
                sheet.cell(head + 2 + k, NAME + shift),
            )
            across.font = down.font = styles.BOLD
            across.alignment = Alignment(horizontal="center", shrink_to_fit=True)
            down.alignment = styles.LEFT
            for j in range(task.classes):
                cell = sheet.cell(head + 2 + k, FIRST + shift + j)
                cell.border = FRAMED if j == k else styles.BOX
                cell.alignment, cell.number_format = styles.CENTRE, styles.WHOLE
        region = Region(PREDICT, head + 2, FIRST + shift, task.classes, task.classes)
        scale = ColorScale(
            cfvo=[FormatObject(type="num", val=0), FormatObject(type="max")],
            color=[Color(rgb="FFFFFFFF"), Color(rgb=COUNTS)],
        )
        rule = Rule(type="colorScale", colorScale=scale)
        sheet.conditional_formatting.add(inputs.range_of(region), rule)


def _axes(sheet: Worksheet, plan: Plan, title: str, names: Sequence[str]) -> None:
    """The numbers that the picture's axes follow from, in small print."""
    column, row = NAME + plan.shift, plan.axes_row
    put(sheet, row, column, title, _SMALL)
    for i, name in enumerate(plan.problem.table.input_names):
        put(sheet, row, column + 1 + i, name, _SMALL, align=styles.RIGHT)
    for n, name in enumerate(names, 1):
        put(sheet, row + n, column, name, _SMALL)
        for i in range(plan.inputs):
            cell = sheet.cell(row + n, column + 1 + i)
            cell.font = Font(name=styles.FONT, size=9, color=cell.font.color)
            size = magnitude(plan.problem.inputs.raw[:, i])
            cell.number_format = number_format(size) if n <= 2 else styles.WHOLE


def _ends(sheet: Worksheet, plan: Plan) -> None:
    """From where to where the line goes on which predictions are right."""
    column, row = NAME + plan.shift, plan.axes_row
    for i, text in enumerate(("line of right predictions", "from", "to")):
        put(sheet, row, column + i, text, _SMALL, align=styles.RIGHT if i else styles.LEFT)
    for k in range(plan.charts):
        put(sheet, row + 1 + k, column, plan.problem.table.target_names[k], _SMALL)
        for i in (1, 2):
            cell = sheet.cell(row + 1 + k, column + i)
            cell.font = Font(name=styles.FONT, size=9, color=cell.font.color)
            cell.number_format = number_format(magnitude(plan.problem.targets.raw[:, k]))
