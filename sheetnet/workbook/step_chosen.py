"""The lower half of ``Step``: why the chosen weight changes, its gradient measured, the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.forward_formulas import FED
from sheetnet.pipeline import GRADIENT, stages_of
from sheetnet.problem import Problem
from sheetnet.regions import STEP, TRAIN, Region, letter
from sheetnet.views.step_chosen import COLUMN, PLACE, WORDS
from sheetnet.views.step_layout import BEFORE, CHECK_ROW, CHECKS, NEW, VALUE_COLUMN, StepLayout
from sheetnet.views.step_parts import Box
from sheetnet.workbook import inputs, styles
from sheetnet.workbook.headers import slot_title
from sheetnet.workbook.styles import put

LISTED = (styles.FINE, styles.FINE, "0.0E+00;-0.0E+00;0", styles.WHOLE)
"""How the numbers of the list are shown, column by column."""

_CHOSEN, _GOOD, _BAD = map(styles.filled, ("FFFF00", "C6EFCE", "FFC7CE"))

_FACTORS = {
    "W": ("w", "state", "the weight in use"),
    FED: ("input", "input", "what it multiplies: the input above it (1 above a bias)"),
    "back": (
        "∂L/∂a",
        "backward",
        "what comes back to its unit: Σ δ·W of the layer after, or the slope of the loss",
    ),
    "k": ("mask k", "backward", "the dropout mask of its unit"),
    "slope": ("f′(z)", "backward", "the slope of its unit's activation"),
    "delta": ("δ", "backward", "the error signal ∂L/∂z of its unit: the product of these"),
    GRADIENT: ("∂L/∂w", "gradient", "this row's gradient: δ · input"),
    "u": ("Δw", "update", "the update"),
    NEW: ("new w", "state", "w + Δw"),
}
"""Symbol, kind and words of each factor but the slots."""

_CHECKS = {
    "up": ("L(w + h)", "the loss with the weight a little larger: nudge on top is h"),
    "down": ("L(w − h)", "the loss with the weight a little smaller"),
    "quotient": ("measured", "(L(w + h) − L(w − h)) / 2h, the slope of the loss"),
    "analytic": ("∂L/∂w", "the same by back propagation: δ · input"),
    "difference": ("difference", "measured − by back propagation"),
    "verdict": ("", ""),
}


def write_chosen(sheet: Worksheet, problem: Problem, step: StepLayout) -> None:
    """The table of the chosen weight's factors."""
    row = step.factor_row
    put(sheet, row, 1, "Why does the chosen weight change?", styles.HEADING)
    for below, text in ((1, "its unit"), (2, "its input, 0: bias")):
        put(sheet, row + below, 1, text, styles.BODY)
        put(sheet, row + below, VALUE_COLUMN, None, styles.BODY, align=styles.CENTRE)
    heads = ("factor", "value", "stands in", f"on {TRAIN}", "which is")
    for column, head in zip(step.wide, heads, strict=False):
        put(sheet, row + 3, column, head, styles.BOLD, styles.HEADER_FILL)
    slots = {stage.slot.name: stage.slot.maths for stage in stages_of(problem.network)}
    for name in step.factor_names:
        at = step.factor_place(name)
        symbol, kind, words = _FACTORS.get(name) or _of_slot(name, slots)
        put(sheet, at, 1, symbol, styles.BOLD)
        fill = None if name in ("W", NEW) else styles.tint(kind)
        value = put(sheet, at, VALUE_COLUMN, None, styles.BODY, fill, border=styles.BOX)
        value.number_format, value.alignment = "0.00000000", styles.RIGHT
        for n in (PLACE, COLUMN):
            put(sheet, at, step.wide[n], None, styles.BODY, align=styles.INDENTED)
        put(sheet, at, step.wide[WORDS], words + _more(problem, name), styles.NOTE)


def _of_slot(name: str, slots: Mapping[str, str]) -> tuple[str, str, str]:
    slot = name.removesuffix(BEFORE)
    if slot == name:
        return slot_title(slot), "state", slots[slot]
    return f"{slot_title(slot)}, before", "state", "what it was in the row before; 0 at first"


def _more(problem: Problem, name: str) -> str:
    """What is special in this network."""
    if name == "u":
        return f": {problem.network.optimizer.maths}"
    last = problem.network.layers[-1]
    closed = problem.network.loss.deltas.get(last.activation.name)
    if name == "delta" and closed is not None:
        return f"; in the last layer at once {closed.maths}"
    return ""


def write_check(sheet: Worksheet, step: StepLayout) -> None:
    """The measurement of the gradient."""
    put(sheet, step.check_row, 1, "Is that gradient right? A measurement", styles.HEADING)
    for name in CHECKS:
        row = step.check_place(name)
        symbol, words = _CHECKS[name]
        put(sheet, row, 1, symbol, styles.BOLD)
        value = put(sheet, row, VALUE_COLUMN, None, styles.BODY)
        value.number_format = "0.0E+00;-0.0E+00;0" if name == "difference" else "0.00000000"
        put(sheet, row, step.wide[2], words, styles.NOTE, align=styles.INDENTED)
    put(sheet, step.check_place("verdict"), VALUE_COLUMN, None, styles.BOLD)


def write_list(sheet: Worksheet, step: StepLayout) -> None:
    """The head and the labels of the list of all numbers."""
    row = step.list_row
    text = "Every number of this step: the ledger's row beside what stands above"
    put(sheet, row, 1, text, styles.HEADING)
    heads = ("column", TRAIN, STEP, "difference", "differs")
    for column, head in zip(step.wide, heads, strict=False):
        put(sheet, row + 1, column, head, styles.BOLD, styles.HEADER_FILL)
    for n, (_, _, label) in enumerate(step.listed):
        put(sheet, row + 2 + n, 1, label, styles.BODY)
        for column, number_format in zip(step.wide[1:], LISTED, strict=False):
            put(sheet, row + 2 + n, column, None, styles.BODY, number_format=number_format)


def mark_chosen(sheet: Worksheet, step: StepLayout, is_fine: Callable[[Box], bool]) -> None:
    """Colour the chosen weight and what belongs to it, wherever it stands."""
    for block in (*step.blocks, *step.nudged):
        for box in block.boxes:
            where = _belongs(step, box)
            if where:
                region = Region(STEP, box.row, box.column, box.rows, box.columns)
                condition = f"AND(weight_layer={block.layer.index},{where})"
                cells = inputs.range_of(region)
                if is_fine(box):
                    styles.fine(sheet, cells, condition, _CHOSEN)
                styles.highlight(sheet, cells, condition, _CHOSEN)


def _belongs(step: StepLayout, box: Box) -> str:
    """When a cell of a box belongs to the chosen weight; empty: none does."""
    unit = f"ROW()-{box.row - 1}={step.chosen_unit}"
    source = f"COLUMN()-{box.column - 1}={step.chosen_input}"
    if box.name.startswith(FED):
        return source
    if "W" in box.name:
        return f"{unit},{source}"
    if box.kind in ("bias", "gradient", "state", "update", "weight"):
        return f"{unit},{step.chosen_input}=0"
    return unit if box.kind == "backward" else ""


def mark_checks(sheet: Worksheet, step: StepLayout) -> None:
    """Green for a check that holds, red for one that does not; the words say it too."""
    # The words of the first are as long as five cells.
    checks = [(CHECK_ROW, 1, 5)] if step.compares else []
    for row, column, columns in (*checks, (step.check_place("verdict"), VALUE_COLUMN, 1)):
        cells = inputs.range_of(Region(STEP, row, column, 1, columns))
        for sign, look in (("✓", _GOOD), ("✗", _BAD)):
            condition = f'LEFT(${letter(column)}${row},1)="{sign}"'
            styles.highlight(sheet, cells, condition, look)
