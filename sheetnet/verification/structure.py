"""What ``Config`` says of the workbook's structure, in cells that training does not need."""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.layout import CONFIG_KEY, CONFIG_VALUE, LAYERS_HEADER, SHEETS_KEY
from sheetnet.network import Network
from sheetnet.reader.cells import Grid, Odd
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package
from sheetnet.reader.workbook import Book
from sheetnet.regions import CONFIG, SHEETS, address
from sheetnet.verification.report import Failure

_ROWS = 2_000
_TITLE_ROW = 3
_TITLE = "Network "


def structure_failures(book: Book, package: Package) -> Iterator[Failure]:
    """Fixed cells that contradict the title of ``Config``, its layers, or the sheets there are.

    Where one of them was changed, all that follows from it differs: it is named first.
    """
    grid = read_grid(package, CONFIG, _ROWS, len(LAYERS_HEADER))
    rows: dict[str, int] = {}
    for (row, column), found in sorted(grid.odd.items()):
        if column == CONFIG_KEY and found.kind == "text":
            rows.setdefault(found.text, row)
    yield from _against_title(grid, rows, book.problem.network)
    yield from _layers(grid, rows["layer"], book.problem.network)
    listed = set(book.layout.sheets)
    unlisted = [title for title in SHEETS if title in package.sheets and title not in listed]
    if unlisted:
        names = ", ".join(title for title in SHEETS if title in listed or title in unlisted)
        yield _failure(grid, rows[SHEETS_KEY], CONFIG_VALUE, SHEETS_KEY, names)


def _against_title(grid: Grid, rows: dict[str, int], network: Network) -> Iterator[Failure]:
    """The title tells the network once more: sizes: activations; loss; optimizer."""
    title = grid.at(_TITLE_ROW, CONFIG_VALUE)
    if not (isinstance(title, Odd) and title.text.startswith(_TITLE)):
        return
    told, known = (_parts(t) for t in (title.text.removeprefix(_TITLE), network.label))
    if told.keys() != known.keys():
        yield _failure(grid, _TITLE_ROW, CONFIG_VALUE, "title", _TITLE + network.label)
        return
    for place, wanted in told.items():
        if wanted != known[place]:
            key, layer = place
            row = rows[key] if layer is None else rows["layer"] + layer
            column = CONFIG_VALUE if layer is None else LAYERS_HEADER.index(key) + 1
            yield _failure(grid, row, column, key, f"{wanted} (as in {CONFIG}!B3)")


def _parts(label: str) -> dict[tuple[str, int | None], str]:
    """What a label says of each key, of a layer (from 1) or of all."""
    sizes, _, rest = label.partition(": ")
    names, _, rest = rest.partition("; ")
    loss, _, optimizer = rest.partition("; ")
    inputs, *units = sizes.split("-")
    found: dict[tuple[str, int | None], str] = {("inputs", None): inputs}
    found |= {("units", n): size for n, size in enumerate(units, 1)}
    found |= {("activation", n): name for n, name in enumerate(names.split(", "), 1)}
    return found | {("loss", None): loss, ("optimizer", None): optimizer}


def _layers(grid: Grid, head: int, network: Network) -> Iterator[Failure]:
    for layer in network.layers:
        row = head + layer.index
        counts = {"inputs": layer.inputs, "parameters": layer.units * (layer.inputs + 1)}
        for key, wanted in counts.items():
            column = LAYERS_HEADER.index(key) + 1
            if grid.at(row, column) != wanted:
                yield _failure(grid, row, column, f"{key} of layer {layer.index}", str(wanted))


def _failure(grid: Grid, row: int, column: int, quantity: str, wanted: str) -> Failure:
    held = str(grid.at(row, column))
    return Failure(CONFIG, address(row, column), quantity, None, held, wanted, None, None)
