"""``Init`` as it stands now: the first weights, layer by layer, wherever their blocks are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sheetnet.concepts.arithmetic import Array
from sheetnet.editing.sheet import Source, formula_notes
from sheetnet.errors import WorkbookError
from sheetnet.layout import InitLayout, bias_head, weights_corner
from sheetnet.regions import INIT, Region


@dataclass(frozen=True)
class Start:
    """The first weights of a layer: ``region`` holds (units, inputs), the biases right of it."""

    region: Region
    weights: Array
    bias: Array

    @property
    def sizes(self) -> tuple[int, int]:
        """(units, inputs)."""
        return self.region.rows, self.region.columns


def read_starts(source: Source) -> tuple[tuple[Start, ...], tuple[str, ...]]:
    """Read each layer's block, and what is to be said of them."""
    texts: dict[tuple[int, int], str] = {}

    def see(row: int, column: int, content: float | str) -> None:
        if isinstance(content, str):
            texts[row, column] = content

    look = source.look(INIT, see)
    first = {
        text: row for (row, column), text in sorted(texts.items(), reverse=True) if column == 1
    }
    found: list[Region] = []
    while (corner := first.get(weights_corner(len(found) + 1))) is not None:
        found.append(_region(source, texts, corner, len(found) + 1))
    if not found:
        raise WorkbookError(
            f"{source.package.path.name}: {INIT} has no cell {weights_corner(1)!r}, below which "
            "the weights stand"
        )
    rows, columns = max(r.last_row for r in found), max(r.last_column for r in found) + 1
    sheet = source.sheet(INIT, rows, columns)
    starts, notes = [], []
    for layer, region in enumerate(found, 1):
        with_bias = replace(region, columns=region.columns + 1)
        look.refuse_dates(sheet, with_bias)

        def name(j: int, i: int, l: int = layer, inputs: int = region.columns) -> str:
            return f"W{l}[{j + 1},{i + 1}]" if i < inputs else f"b{l}[{j + 1}]"

        numbers = sheet.matrix(with_bias, name)
        starts.append(Start(region, numbers[:, :-1], numbers[:, -1]))
        notes += formula_notes(sheet, with_bias)
    return tuple(starts), tuple(notes)


def _region(source: Source, texts: dict[tuple[int, int], str], corner: int, layer: int) -> Region:
    """The weights below a corner: columns to the head of the biases, rows that have a name."""
    first = InitLayout.WEIGHT_COLUMN
    last = max(column for _, column in texts)
    ends = (c for c in range(first, last + 1) if texts.get((corner, c)) == bias_head(layer))
    bias = next(ends, None)
    units = 0
    while (corner + units + 1, 1) in texts:
        units += 1
    if bias is None or bias == first or not units:
        raise WorkbookError(
            f"{source.package.path.name}: the block of layer {layer} on {INIT} is not as it was "
            f"exported (inputs, then {bias_head(layer)!r}, a named row for each unit)"
        )
    return Region(INIT, corner + 1, first, units, bias - first)
