"""What ``Config`` says of the workbook's structure, in cells that training does not need."""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.editing.past import network_of
from sheetnet.layout import (
    CONFIG_NETWORK,
    CONFIG_VALUE,
    LAYERS_HEADER,
    NETWORK,
    SHEETS_KEY,
)
from sheetnet.network import Network
from sheetnet.reader.cells import Grid
from sheetnet.reader.config import config_keys
from sheetnet.reader.package import Package
from sheetnet.reader.workbook import Book
from sheetnet.regions import CONFIG, SHEETS, address
from sheetnet.verification.report import Failure


def structure_failures(book: Book, package: Package) -> Iterator[Failure]:
    """Fixed cells that contradict the title of ``Config``, its layers, or the sheets there are.

    Where one of them was changed, all that follows from it differs: it is named first.
    """
    grid, rows = book.config, config_keys(book.config)
    yield from _against_title(grid, rows, book.problem.network)
    yield from _layers(grid, rows["layer"], book.problem.network)
    listed = set(book.layout.sheets)
    unlisted = [title for title in SHEETS if title in package.sheets and title not in listed]
    if unlisted:
        names = ", ".join(title for title in SHEETS if title in listed or title in unlisted)
        yield _failure(grid, rows[SHEETS_KEY], CONFIG_VALUE, SHEETS_KEY, names)


def _against_title(grid: Grid, rows: dict[str, int], network: Network) -> Iterator[Failure]:
    """The title tells the network once more: sizes: activations; loss; optimizer."""
    title = network_of(grid)
    if title is None:
        return
    told, known = _parts(title), _parts(network.label)
    if told.keys() != known.keys():
        yield _failure(grid, *CONFIG_NETWORK, "title", NETWORK + network.label)
        return
    for place, wanted in told.items():
        if wanted != known[place]:
            key, layer = place
            row = rows[key] if layer is None else rows["layer"] + layer
            column = CONFIG_VALUE if layer is None else LAYERS_HEADER.index(key) + 1
            yield _failure(
                grid, row, column, key, f"{wanted} (as in {CONFIG}!{address(*CONFIG_NETWORK)})"
            )


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
