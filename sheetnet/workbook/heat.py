"""Colours that follow the numbers: one sees learning as it runs down the sheet."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl.formatting.rule import ColorScale, DataBar, FormatObject, Rule
from openpyxl.styles.colors import Color
from openpyxl.utils.cell import absolute_coordinate
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.ledger import Block, Ledger
from sheetnet.regions import Region, letter

LOW, MIDDLE, HIGH = "FF9CCAEB", "FFFFFFFF", "FFF7C48F"
"""Blue for negative, orange for positive: they stay apart for colour-blind eyes."""

BAR = "FFFFC000"

SIGNED = (("weight", "bias"), ("backward",), ("gradient",), ("update",))
"""Kinds of columns whose sign matters; each group has one scale over all layers, so that
the same colour is the same size and a gradient that vanishes is seen to fade."""

MAX_CELLS = 300_000
"""A rule over more cells makes applications slow."""


def add_heat(sheet: Worksheet, ledger: Ledger, region: Region) -> None:
    """Diverging scales on parameters and gradients, bars on the loss."""
    for kinds in SIGNED:
        blocks = [block for block in ledger.blocks if block.kind in kinds]
        together = sum(block.size for block in blocks) * region.rows <= MAX_CELLS
        for group in [blocks] if together else [[block] for block in blocks]:
            if sum(block.size for block in group) * region.rows <= MAX_CELLS:
                _diverging(sheet, [area(block, region) for block in runs(group)])
    for loss in (block for block in ledger.blocks if block.kind == "loss"):
        if region.rows <= MAX_CELLS:
            sheet.conditional_formatting.add(area((loss, loss), region), _bars())


def runs(blocks: Iterable[Block]) -> list[tuple[Block, Block]]:
    """The first and the last of blocks that stand side by side."""
    found: list[tuple[Block, Block]] = []
    for block in blocks:
        if found and found[-1][1].first + found[-1][1].size == block.first:
            found[-1] = (found[-1][0], block)
        else:
            found.append((block, block))
    return found


def area(run: tuple[Block, Block], region: Region) -> str:
    """The cells from a block to another in all rows of a region."""
    first, last = letter(run[0].first + 1), letter(run[1].first + run[1].size)
    return f"{first}{region.row}:{last}{region.last_row}"


def _diverging(sheet: Worksheet, areas: list[str]) -> None:
    """White at 0, the ends as far from it as the number of the largest size."""
    fixed = ",".join(
        ":".join(absolute_coordinate(corner) for corner in area.split(":")) for area in areas
    )
    size = f"MAX(MAX({fixed}),-MIN({fixed}))"
    ends = [
        FormatObject(type="formula", val=f"-{size}"),
        FormatObject(type="num", val=0),
        FormatObject(type="formula", val=size),
    ]
    colours = [Color(rgb=LOW), Color(rgb=MIDDLE), Color(rgb=HIGH)]
    rule = Rule(type="colorScale", colorScale=ColorScale(cfvo=ends, color=colours))
    sheet.conditional_formatting.add(" ".join(areas), rule)


def _bars() -> Rule:
    ends = [FormatObject(type="num", val=0), FormatObject(type="max")]
    return Rule(type="dataBar", dataBar=DataBar(cfvo=ends, color=Color(rgb=BAR)))
