"""Colours that follow the numbers: one sees learning as it runs down the sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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


Heated = tuple[list[Block], str]
"""Blocks that have a scale together, or bars, and their cells."""


def add_heat(sheet: Worksheet, groups: Iterable[Heated]) -> None:
    """Diverging scales on parameters and gradients, bars on the loss."""
    for blocks, where in groups:
        rule = _bars() if blocks[0].kind == "loss" else _diverging(where)
        sheet.conditional_formatting.add(where, rule)


def heated(ledger: Ledger, region: Region) -> Iterator[Heated]:
    """What is coloured in the rows of a ledger."""
    for kinds in (*SIGNED, ("loss",)):
        blocks = [block for block in ledger.blocks if block.kind in kinds]
        together = sum(block.size for block in blocks) * region.rows <= MAX_CELLS
        for group in [blocks] if together else [[block] for block in blocks]:
            if group and sum(block.size for block in group) * region.rows <= MAX_CELLS:
                yield group, areas(group, region)


def runs(blocks: Iterable[Block]) -> list[tuple[Block, Block]]:
    """The first and the last of blocks that stand side by side."""
    found: list[tuple[Block, Block]] = []
    for block in blocks:
        if found and found[-1][1].first + found[-1][1].size == block.first:
            found[-1] = (found[-1][0], block)
        else:
            found.append((block, block))
    return found


def areas(blocks: Iterable[Block], region: Region) -> str:
    """The cells of blocks in all rows of a region, from left to right."""
    found = []
    for start, end in runs(blocks):
        first, last = letter(start.first + 1), letter(end.first + end.size)
        found.append(f"{first}{region.row}:{last}{region.last_row}")
    return " ".join(found)


def _diverging(where: str) -> Rule:
    """White at 0, the ends as far from it as the number of the largest size."""
    fixed = ",".join(
        ":".join(absolute_coordinate(corner) for corner in area.split(":"))
        for area in where.split(" ")
    )
    size = f"MAX(MAX({fixed}),-MIN({fixed}))"
    ends = [
        FormatObject(type="formula", val=f"-{size}"),
        FormatObject(type="num", val=0),
        FormatObject(type="formula", val=size),
    ]
    colours = [Color(rgb=LOW), Color(rgb=MIDDLE), Color(rgb=HIGH)]
    return Rule(type="colorScale", colorScale=ColorScale(cfvo=ends, color=colours))


def _bars() -> Rule:
    ends = [FormatObject(type="num", val=0), FormatObject(type="max")]
    return Rule(type="dataBar", dataBar=DataBar(cfvo=ends, color=Color(rgb=BAR)))
