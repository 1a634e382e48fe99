"""Colours that follow the numbers: one sees learning as it runs down the sheet."""

from __future__ import annotations

from openpyxl.formatting.rule import ColorScale, DataBar, FormatObject, Rule
from openpyxl.styles.colors import Color
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.ledger import Block, Ledger
from sheetnet.regions import Region, letter

LOW, MIDDLE, HIGH = "FF5AA5D8", "FFFFFFFF", "FFF2A65A"
"""Blue for negative, orange for positive: they stay apart for colour-blind eyes."""

BAR = "FFFFC000"

SIGNED = ("weight", "bias", "backward", "gradient", "update")
"""Kinds of columns whose sign matters."""

MAX_CELLS = 300_000
"""A rule over more cells makes applications slow."""


def add_heat(sheet: Worksheet, ledger: Ledger, region: Region) -> None:
    """Diverging scales on parameters and gradients, bars on the loss."""
    for block in ledger.blocks:
        if block.size * region.rows > MAX_CELLS:
            continue
        if block.kind in SIGNED:
            sheet.conditional_formatting.add(_cells(block, region), _diverging())
        elif block.kind == "loss":
            sheet.conditional_formatting.add(_cells(block, region), _bars())


def _cells(block: Block, region: Region) -> str:
    first, last = letter(block.first + 1), letter(block.first + block.size)
    return f"{first}{region.row}:{last}{region.last_row}"


def _diverging() -> Rule:
    ends = [FormatObject(type="min"), FormatObject(type="num", val=0), FormatObject(type="max")]
    colours = [Color(rgb=LOW), Color(rgb=MIDDLE), Color(rgb=HIGH)]
    return Rule(type="colorScale", colorScale=ColorScale(cfvo=ends, color=colours))


def _bars() -> Rule:
    ends = [FormatObject(type="num", val=0), FormatObject(type="max")]
    return Rule(type="dataBar", dataBar=DataBar(cfvo=ends, color=Color(rgb=BAR)))
