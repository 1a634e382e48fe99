"""``Init`` of a window: what its first row finds besides weights.

Sums of a batch that has begun, and what the optimizer keeps of each parameter.
"""

from __future__ import annotations

from openpyxl import Workbook

from sheetnet.layout import InitLayout
from sheetnet.regions import INIT
from sheetnet.window import Window
from sheetnet.workbook import inputs, styles
from sheetnet.workbook.headers import slot_title
from sheetnet.workbook.init import number
from sheetnet.workbook.styles import put


def write_state(book: Workbook, window: Window, layout: InitLayout) -> None:
    """Add it below the weights, input cells like these."""
    sheet = book[INIT]
    for block in layout.carried:
        region, base = layout.state[block.name], block.base[:-1] if block.layer else block.base
        header = region.row - 1
        if block.shape == () or len(block.shape) == 2:
            of = f" of layer {block.layer}" if block.layer else ""
            text = f"{base}{of} in the row before visit {window.first:,}"
            put(sheet, region.row - 2, 1, text, styles.HEADING)
            unit = f"{block.name} (unit ↓, input →)" if block.shape else block.name
            corner = put(sheet, header, 1, unit, styles.BOLD, styles.HEADER_FILL)
            told = slot_title(base) or "samples of the batch so far"
            styles.remark(corner, f"{block.name}: {told}.")
        prompt = "A number: the window starts from it, and all of it follows."
        inputs.numbers(sheet, region, block.name, prompt)
        values = window.carried[block.name].reshape(region.rows, region.columns)
        for c in range(region.columns):
            name = f"input {c + 1}" if len(block.shape) == 2 else block.name
            head = put(sheet, header, region.column + c, name, styles.BOLD, styles.HEADER_FILL)
            head.alignment = styles.RIGHT
            for r in range(region.rows):
                number(sheet, region.row + r, region.column + c, float(values[r, c]))
        if len(block.shape) == 2:
            for r in range(region.rows):
                put(sheet, region.row + r, 1, f"unit {r + 1}", styles.BODY)
