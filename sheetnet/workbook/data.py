"""``Data``: raw rows, the statistics of the scaling, and what the network sees, live."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.arithmetic import Array
from sheetnet.data import Label
from sheetnet.data_layout import (
    CODED_TITLE,
    INPUTS_TITLE,
    ONE_MEANS,
    ROW_HEAD,
    SCALED_INPUTS_TITLE,
    SCALED_TARGETS_TITLE,
    SET_HEAD,
    TARGET_TITLE,
    TARGETS_TITLE,
    TRAINING_SET,
    VALIDATION_SET,
    ZERO_MEANS,
    DataLayout,
    statistic_label,
)
from sheetnet.formulas import data_formulas, statistic_formulas
from sheetnet.problem import Problem, Scaled
from sheetnet.regions import DATA, letter
from sheetnet.views.view import Content
from sheetnet.workbook import inputs, styles
from sheetnet.workbook.stream import Stream, StreamColumn
from sheetnet.workbook.styles import FormulaText, put

BLOCK_ROWS = 4096


def write_data(
    book: Workbook,
    problem: Problem,
    layout: DataLayout,
    cached: dict[tuple[str, int, int], Content],
) -> Stream:
    """Add the sheet's head; return its rows as a stream. Fills in ``cached``."""
    sheet = book.create_sheet(DATA)
    styles.title(sheet, "Data", _explanation(layout))
    styles.back(sheet, 3)
    put(sheet, layout.name_row, 1, ROW_HEAD, styles.BOLD, styles.HEADER_FILL)
    _heads(sheet, problem, layout)
    if layout.held_out:
        put(sheet, layout.name_row, layout.SET_COLUMN, SET_HEAD, styles.BOLD, styles.HEADER_FILL)
        held_out = f"A{layout.last_training_row + 1}:{letter(layout.last_column)}{layout.last_row}"
        styles.highlight(
            sheet, held_out, f'$B{layout.last_training_row + 1}="{VALIDATION_SET}"', styles.SHADE
        )
    _statistics(sheet, problem, layout, cached)
    if layout.coded:
        _coding(sheet, problem, layout)
    _allowed(sheet, layout)
    sheet.column_dimensions["A"].width = 14
    for column in range(2, layout.last_column + 1):
        head = str(sheet.cell(layout.name_row, column).value)
        sheet.column_dimensions[letter(column)].width = max(10.0, min(24.0, len(head) + 3.0))
    styles.for_screen_and_page(
        sheet, f"B{layout.first_row}", one_page_wide=layout.last_column <= styles.ONE_PAGE
    )
    sheet.print_title_rows = f"{layout.GROUP_ROW}:{layout.name_row}"
    return _body(sheet, problem, layout)


def _explanation(layout: DataLayout) -> str:
    if layout.held_out:
        return (
            "Training rows first, the shaded ones are held out for validation; "
            "scaling follows the training rows. Any raw value may be changed."
        )
    if layout.scales_inputs or layout.derives_targets:
        return "Raw values on the left may be changed; what the network sees follows by formulas."
    return "The network sees these values as they are; any of them may be changed."


def _heads(sheet: Worksheet, problem: Problem, layout: DataLayout) -> None:
    inputs, targets = layout.input_names, layout.target_names
    groups: list[tuple[str, str, int, list[str]]] = [
        (INPUTS_TITLE, "input", layout.raw_column, list(inputs)),
        (
            TARGET_TITLE if len(targets) == 1 else TARGETS_TITLE,
            "target",
            layout.target_column,
            list(targets),
        ),
    ]
    if layout.scales_inputs:
        names = [f"x[{i}]" for i in range(1, len(inputs) + 1)]
        groups.append((SCALED_INPUTS_TITLE, "input", layout.x_column, names))
    if layout.derives_targets:
        names = [f"y[{k}]" for k in range(1, layout.outputs + 1)]
        text = CODED_TITLE if layout.coded else SCALED_TARGETS_TITLE
        groups.append((text, "target", layout.y_column, names))
    for text, kind, first, names in groups:
        for offset, name in enumerate(names):
            fill = styles.band(kind)
            label = text if offset == 0 else None
            put(sheet, layout.GROUP_ROW, first + offset, label, styles.HEADING, fill)
            head = put(sheet, layout.name_row, first + offset, name, styles.BOLD, fill)
            is_text = kind == "target" and layout.coded and first == layout.target_column
            head.alignment = styles.INDENTED if is_text else styles.RIGHT
            styles.remark(head, _remark(problem, layout, first + offset))


def _remark(problem: Problem, layout: DataLayout, column: int) -> str:
    """What a column holds, in words and mathematical notation."""
    raw = [*layout.input_names, *layout.target_names]
    if column < layout.raw_end:
        i = column - layout.raw_column
        is_input = i < len(layout.input_names)
        symbol = f"x[{i + 1}]" if is_input else f"y[{i - len(layout.input_names) + 1}]"
        derived = layout.scales_inputs if is_input else layout.derives_targets
        if layout.coded and not is_input:
            return f"{raw[i]}: the class of each row, as it was given; y follows from it."
        way = "made of it on the right" if derived else "the network sees it as it is"
        return f"{raw[i]}: as it was given, to be changed; {symbol}, {way}."
    if layout.scales_inputs and column < layout.x_column + len(layout.input_names):
        i = column - layout.x_column
        return f"x[{i + 1}] = {problem.inputs.scaling.maths}, x being {layout.input_names[i]}"
    k = column - layout.y_column
    if layout.coded:
        return f"y[{k + 1}] = 1 where the class is the one above, else 0"
    return f"y[{k + 1}] = {problem.targets.scaling.maths}, x being {layout.target_names[k]}"


def _statistics(
    sheet: Worksheet,
    problem: Problem,
    layout: DataLayout,
    cached: dict[tuple[str, int, int], Content],
) -> None:
    sides: dict[str, Scaled] = {
        "input statistics": problem.inputs,
        "target statistics": problem.targets,
    }
    for name, texts in statistic_formulas(layout, problem):
        region, scaled = layout.regions[name], sides[name]
        for n, text in enumerate(texts):
            row, column = region.row + n // region.columns, region.column + n % region.columns
            statistic = scaled.scaling.statistics[n // region.columns]
            value = float(scaled.statistics[statistic.name][n % region.columns])
            put(sheet, row, column, FormulaText(f"={text}"), styles.BODY, number_format="0.0000")
            cached[(DATA, row, column)] = value
            if name == "input statistics" or not layout.scales_inputs:
                styles.remark(put(sheet, row, 1, statistic.name, styles.NOTE), statistic.maths)
        if name == "target statistics" and layout.scales_inputs:
            _label_target_statistics(sheet, layout, scaled)


def _label_target_statistics(sheet: Worksheet, layout: DataLayout, scaled: Scaled) -> None:
    """Name both sides' statistics where they share rows: ``mean / minimum``."""
    for offset, statistic in enumerate(scaled.scaling.statistics):
        row = layout.STATISTICS_ROW + offset
        there = sheet.cell(row, 1).value
        text = statistic_label(None if there is None else str(there), statistic.name)
        put(sheet, row, 1, text, styles.NOTE)


def _coding(sheet: Worksheet, problem: Problem, layout: DataLayout) -> None:
    """What a 1 stands for, above each coded column; with one output also what a 0 does."""
    assert problem.classes is not None
    put(sheet, layout.coding_row, 1, ONE_MEANS, styles.NOTE)
    for k in range(layout.outputs):
        meaning = problem.classes[1] if layout.outputs == 1 else problem.classes[k]
        _meaning(sheet, layout.coding_row, layout.y_column + k, meaning)
    if layout.outputs == 1:
        put(sheet, layout.coding_row + 1, 1, ZERO_MEANS, styles.NOTE)
        _meaning(sheet, layout.coding_row + 1, layout.y_column, problem.classes[0])


def _allowed(sheet: Worksheet, layout: DataLayout) -> None:
    """What may be typed over raw values, column by column."""
    columns = list(enumerate(layout.input_names, layout.raw_column))
    if not layout.coded:
        columns += enumerate(layout.target_names, layout.target_column)
    for column, name in columns:
        inputs.numbers(
            sheet, layout.body(column, 1), name, "A number: its visits, and all after, follow."
        )
    if layout.coded:
        inputs.one_of(
            sheet,
            layout.body(layout.target_column, 1),
            layout.regions["coding"],
            layout.target_names[0],
            "One of the classes above: its visits, and all after, follow.",
        )


def _meaning(sheet: Worksheet, row: int, column: int, label: Label) -> None:
    cell = put(sheet, row, column, label, styles.FIXED, styles.FIXED_FILL)
    cell.alignment = styles.RIGHT


def _body(sheet: Worksheet, problem: Problem, layout: DataLayout) -> Stream:
    def style(
        column: int,
        font: Font,
        fill: PatternFill | None,
        number_format: str,
        align: Alignment | None = None,
        sample: str | None = None,
    ) -> int:
        # Each on a cell of its own: openpyxl keeps a cell's style by reference.
        cell = put(
            sheet,
            layout.first_row,
            column,
            sample,
            font,
            fill,
            number_format=number_format,
            align=align,
        )
        return int(cell.style_id)

    index = style(1, styles.NOTE, None, styles.WHOLE)
    raw = style(2, styles.INPUT, styles.INPUT_FILL, styles.GENERAL)
    seen = style(3, styles.BODY, None, styles.NUMBER)
    # "=1+1" as a sample keeps such labels texts when a person edits the cell.
    sample = next((str(c) for c in problem.classes or () if styles.looks_live(c)), None)
    label = style(5, styles.INPUT, styles.INPUT_FILL, styles.GENERAL, styles.INDENTED, sample)
    coded = style(4, styles.BODY, None, styles.WHOLE)

    rows = layout.rows + layout.held_out
    columns = [StreamColumn(1, index, whole=True)]
    values = [np.arange(1.0, rows + 1)[:, None]]
    if layout.held_out:
        sets = (TRAINING_SET,) * layout.rows + (VALIDATION_SET,) * layout.held_out
        used = style(6, styles.NOTE, None, styles.GENERAL, styles.INDENTED)
        columns.append(StreamColumn(layout.SET_COLUMN, used, texts=sets))
        values.append(np.zeros((rows, 1)))
    values.append(problem.table.inputs)
    for i in range(len(layout.input_names)):
        columns.append(StreamColumn(layout.raw_column + i, raw))
    labels = problem.table.labels
    texts = None
    if labels is not None and isinstance(labels[0], str):
        texts = tuple(str(label) for label in labels)
        values.append(np.zeros((rows, 1)))
    else:
        numbers = problem.table.targets if labels is None else np.array(labels)[:, None]
        assert numbers is not None
        values.append(numbers.astype(np.float64))
    for k in range(len(layout.target_names)):
        columns.append(StreamColumn(layout.target_column + k, label if texts else raw, texts=texts))
    formulas = list(data_formulas(layout, problem))
    if layout.scales_inputs:
        values.append(problem.inputs.values)
    if layout.derives_targets:
        values.append(problem.targets.values)
    for column, formula in zip(
        range(layout.raw_end, layout.last_column + 1), formulas, strict=True
    ):
        by_coding = layout.coded and column >= layout.y_column
        columns.append(StreamColumn(column, coded if by_coding else seen, formula))
    return Stream(layout.first_row, rows, tuple(columns), list(_blocks(np.hstack(values))))


def _blocks(matrix: Array) -> Iterator[Array]:
    for start in range(0, len(matrix), BLOCK_ROWS):
        yield matrix[start : start + BLOCK_ROWS]
