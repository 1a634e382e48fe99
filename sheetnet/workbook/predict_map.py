"""The map on ``Predict``: colours over two inputs, the training rows on it, its axes."""

from __future__ import annotations

from copy import copy

from openpyxl.formatting.rule import ColorScale, FormatObject, Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.colors import Color
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.regions import address, letter
from sheetnet.views.predict.columns import bottom_of, column_span, left_of
from sheetnet.views.predict.names import class_names, named
from sheetnet.views.predict.picture import tick_place
from sheetnet.views.predict.plan import (
    FIRST_ROW,
    GRID,
    SHOWN_POINTS,
    SWATCHES,
    SWATCHES_AT,
    TICKS,
    Plan,
)
from sheetnet.views.predict.signs import TYPED_SIGN, signs_of
from sheetnet.workbook import styles
from sheetnet.workbook.heat import HIGH, LOW, MIDDLE
from sheetnet.workbook.inputs import range_of
from sheetnet.workbook.styles import put

CLASSES = ("8CC4E8", "F7B26A", "8FD3B6", "E3B5D1", "F3E37C", "B9B9B9", "C9A27E")
"""Of several classes, light enough for black signs; they stay apart for colour-blind eyes."""

SURE = 0.75
"""From this probability on the colour of a class is full."""

HIDDEN = ";;;@"
"""Numbers do not show, texts do."""

_SIGN = Font(name=styles.FONT, size=12, bold=True, color="000000")
_LABEL = Font(name=styles.FONT, size=9, color="000000")
_SIDE = Side(style="thin", color="7F7F7F")
_CENTRE = Alignment(horizontal="center", vertical="center")


def write_map(sheet: Worksheet, plan: Plan) -> None:
    """Give the map its looks: its formulas stand there."""
    grid = plan.map
    _widths(sheet, plan)
    corner = sheet.cell(grid.row, grid.column)
    corner.font, corner.alignment, corner.number_format = _SIGN, _CENTRE, HIDDEN
    for row in sheet.iter_rows(grid.row, grid.last_row, grid.column, grid.last_column):
        for cell in row:
            cell._style = copy(corner._style)  # type: ignore[union-attr]
    put(sheet, FIRST_ROW, grid.column, _title(plan), styles.HEADING)
    _axes(sheet, plan)
    _colours(sheet, plan)
    _legend(sheet, plan)


def _title(plan: Plan) -> str:
    task = plan.task
    names = [named(name) for name in class_names(plan)]
    if task.shows_share:
        what = "probability" if task.probabilities else "output"
        return f"What the network says everywhere: {what} of {names[1]}"
    if task.classes:
        return "What the network says everywhere: the class told"
    which = " (the first target)" if plan.outputs > 1 else ""
    return f"What the network says everywhere: {names[0]}{which}"


def _widths(sheet: Worksheet, plan: Plan) -> None:
    first = plan.picture_column
    for column, width in ((first, 3.5), (first + 1, 9.0), (first + 2, 1.0)):
        sheet.column_dimensions[letter(column)].width = width
    for column in range(plan.map.column, plan.map.last_column + 1):
        sheet.column_dimensions[letter(column)].width = 2.2


def _axes(sheet: Worksheet, plan: Plan) -> None:
    """Numbers hidden along the edges, a tick and a label at every tenth, the columns' names."""
    grid = plan.map
    for i, edge in enumerate((bottom_of(grid), left_of(grid))):
        form = tick_format(plan, i)
        for n in range(GRID):
            cell = sheet.cell(edge.row + (n if i else 0), edge.column + (0 if i else n))
            cell.number_format, cell.font = ";;;", _LABEL
            if (GRID - 1 - n if i else n) not in TICKS:
                continue
            cell.border = Border(top=_SIDE) if i else Border(left=_SIDE)
            row, column = tick_place(grid, i, n)
            label = sheet.cell(row, column)
            label.font, label.number_format = _LABEL, form
            if i:
                label.alignment = Alignment(horizontal="right", vertical="center")
                continue
            label.alignment = Alignment(horizontal=_towards(n))
            sheet.merge_cells(
                start_row=row, end_row=row, start_column=column, end_column=column + 4
            )
    across, up = plan.problem.table.input_names
    row, column = grid.last_row + 3, plan.picture_column
    put(sheet, row, grid.column, across, styles.BOLD, align=_CENTRE)
    sheet.merge_cells(
        start_row=row, end_row=row, start_column=grid.column, end_column=grid.last_column
    )
    turned = Alignment(horizontal="center", vertical="center", text_rotation=90)
    put(sheet, grid.row, column, up, styles.BOLD, align=turned)
    sheet.merge_cells(
        start_row=grid.row, end_row=grid.last_row, start_column=column, end_column=column
    )


def _towards(n: int) -> str:
    return "left" if n == 0 else "right" if n == GRID - 1 else "center"


def tick_format(plan: Plan, i: int) -> str:
    """A number format in which neighbouring labels differ."""
    column = plan.problem.inputs.raw[: plan.problem.rows, i]
    width, size = float(column.max() - column.min()), float(abs(column).max())
    if not 1e-4 < (width or 1.0) < 1e7 or size > 1e7:
        return "0.00E+00"
    digits = 0 if width >= 100 else 1 if width >= 10 else 2 if width >= 1 else 4
    return f"0.{'0' * digits}" if digits else "0"


def _mixed(share: float) -> str:
    """A colour of the scale, from 0 to 1."""
    ends = (LOW, MIDDLE) if share <= 0.5 else (MIDDLE, HIGH)
    part = 2 * share if share <= 0.5 else 2 * share - 1
    pairs = ((int(a, 16), int(b, 16)) for a, b in zip(*map(_parts, ends), strict=True))
    return "".join(f"{round(a + (b - a) * part):02X}" for a, b in pairs)


def _parts(colour: str) -> list[str]:
    return [colour[i : i + 2] for i in (2, 4, 6)]


def _lighter(colour: str) -> str:
    return "".join(f"{(int(colour[i : i + 2], 16) + 2 * 255) // 3:02X}" for i in (0, 2, 4))


def _fill(colour: str) -> DifferentialStyle:
    return DifferentialStyle(fill=PatternFill("solid", bgColor=colour))


def by_hue(plan: Plan) -> bool:
    """Whether each class has a colour of its own."""
    task = plan.task
    return task.classes > 0 and not task.shows_share and task.classes <= len(CLASSES)


def _colours(sheet: Worksheet, plan: Plan) -> None:
    where = range_of(plan.map)
    if by_hue(plan):
        for rule in _hues(plan):
            sheet.conditional_formatting.add(where, rule)
        return
    for rule in _bands(plan):
        sheet.conditional_formatting.add(where, rule)
    sheet.conditional_formatting.add(where, _scale(plan))


def _scale(plan: Plan) -> Rule:
    """Blue over white to orange."""
    if plan.task.numbers:
        ends = [
            FormatObject(type="min"),
            FormatObject(type="percent", val=50),
            FormatObject(type="max"),
        ]
    else:
        low, high = (1, plan.task.classes) if _counts(plan) else (0, 1)
        ends = [FormatObject(type="num", val=v) for v in (low, (low + high) / 2, high)]
    colours = [Color(rgb=rgb) for rgb in (LOW, MIDDLE, HIGH)]
    return Rule(type="colorScale", colorScale=ColorScale(cfvo=ends, color=colours))


def _counts(plan: Plan) -> bool:
    """Whether it shows numbers of classes."""
    return plan.task.classes > 0 and not plan.task.shows_share


def _of_point(plan: Plan, name: str, offset: int = 0) -> str:
    """A quantity of the point under a cell of the map, within a rule."""
    ledger, region, grid = plan.points, plan.points_region, plan.map
    assert ledger is not None and region is not None
    column = letter(region.column + ledger[name].first + offset)
    place = f"(ROW()-{grid.row})*{GRID}+COLUMN()-{grid.column - 1}"
    return f"INDEX(${column}${region.row}:${column}${region.last_row},{place})"


def _bands(plan: Plan) -> list[Rule]:
    """Behind signs: the colour of what is told there or, of numbers, of the target."""
    corner = address(plan.map.row, plan.map.column)
    value, low, high = _of_point(plan, "value"), "0", "1"
    if plan.task.numbers:
        low, high = (f"${letter(column)}${row}" for row, column in plan.colours)
        here = _of_point(plan, "here")
        goal = column_span(plan, "goal", 0, plan.drawn, 0)
        value = f"IF({here}>0,INDEX({goal},MAX({here},1)),{value})"
    elif _counts(plan):
        low, high = "1", str(plan.task.classes)
    rules = []
    for n in range(SWATCHES):
        limit = f"{low}+({high}-{low})*{n + 1}/{SWATCHES}"
        inside = f"{value}<={limit}" if n < SWATCHES - 1 else f"ISNUMBER({value})"
        formula = f"AND(ISTEXT({corner}),{inside})"
        style = _fill(_mixed((n + 0.5) / SWATCHES))
        rules.append(Rule(type="expression", dxf=style, formula=[formula], stopIfTrue=True))
    return rules


def _hues(plan: Plan) -> list[Rule]:
    """The colour of the class told, pale where the network is not sure."""
    rules, last = [], plan.outputs - 1
    for k in range(plan.task.classes):
        told = f"{_of_point(plan, 'told', last)}={k + 1}"
        if plan.task.probabilities:
            a = _of_point(plan, f"a{len(plan.task.network.layers)}", k)
            sure = f"AND({told},{a}>={SURE})"
            rules.append(Rule(type="expression", dxf=_fill(CLASSES[k]), formula=[sure]))
        style = _fill(_lighter(CLASSES[k]) if plan.task.probabilities else CLASSES[k])
        rules.append(Rule(type="expression", dxf=style, formula=[told]))
    return rules


def _legend(sheet: Worksheet, plan: Plan) -> None:
    task, grid, row = plan.task, plan.map, plan.legend_row
    names, signs = [named(name) for name in class_names(plan)], signs_of(plan)
    if by_hue(plan):
        row = _classes(sheet, plan, names, signs)
    else:
        for n in range(SWATCHES):
            fill = PatternFill("solid", fgColor=_mixed((n + 0.5) / SWATCHES))
            put(sheet, row, grid.column + SWATCHES_AT + n, None, styles.BODY, fill)
        for n, (at, column) in enumerate(plan.colours):
            end = column + SWATCHES_AT - 1 if n == 0 else grid.last_column
            align = Alignment(horizontal="left" if n else "right")
            cell = sheet.cell(at, column)
            if not task.numbers:
                k = n * (len(names) - 1)
                text = "no" if task.labels and not n else "yes" if task.labels else names[k]
                sign = f"{signs[k]} " if task.knows_right else ""
                cell = put(sheet, at, column, f"{sign}{text}")
            cell.font, cell.alignment, cell.number_format = _LABEL, align, tick_format_of(plan)
            sheet.merge_cells(start_row=at, end_row=at, start_column=column, end_column=end)
    for text in _notes(plan):
        row += 1
        put(sheet, row, grid.column, text, styles.NOTE)


def tick_format_of(plan: Plan) -> str:
    """The number format of the colours' ends."""
    if not plan.task.numbers:
        return styles.GENERAL
    size = float(abs(plan.problem.targets.raw[:, 0]).max())
    return "0.00E+00" if size and not 1e-3 <= size < 1e7 else "0.00" if size < 1000 else "0"


def _classes(sheet: Worksheet, plan: Plan, names: list[str], signs: tuple[str, ...]) -> int:
    """A sample of each class's colour with its sign and name; return the last row."""
    each, row = 10, plan.legend_row
    for k, name in enumerate(names):
        row, column = plan.legend_row + k // 4, plan.map.column + k % 4 * each
        fill = PatternFill("solid", fgColor=CLASSES[k])
        sign = signs[k] if plan.task.knows_right else None
        put(sheet, row, column, sign, _SIGN, fill, align=_CENTRE)
        put(sheet, row, column + 1, name, _LABEL)
        sheet.merge_cells(
            start_row=row, end_row=row, start_column=column + 1, end_column=column + each - 1
        )
    return row


def _notes(plan: Plan) -> list[str]:
    task = plan.task
    if task.knows_right:
        text = "Signs are training rows; one on the other's colour is told wrong."
        if task.classes > len(CLASSES):
            text = "Signs are training rows, by class (on the left)."
    elif task.numbers:
        text = f"● training rows, in the colour of their {plan.problem.table.target_names[0]}."
    else:
        text = "● training rows."
    if by_hue(plan) and task.probabilities:
        text += f" Pale: a probability below {SURE:.0%}."
    notes = [f"{text} {TYPED_SIGN} is what is typed."]
    if plan.problem.rows > SHOWN_POINTS:
        notes.append(f"Of {plan.problem.rows} training rows the first {SHOWN_POINTS} are shown.")
    return notes
