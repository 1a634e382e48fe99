"""What a workbook was at export, from the sheets that keep it.

``Compare`` holds copies of all inputs; what is fixed at export shows in the first epoch on
``Train`` and in the title of ``Config``. A sheet that is gone or spoilt tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.data_layout import DataLayout
from sheetnet.layout import CONFIG_NETWORK, NETWORK, TRAIN_FIRST_ROW, TRAIN_NAME_ROW
from sheetnet.reader.cells import Grid, Odd
from sheetnet.reader.package import Package
from sheetnet.reader.scan import scan
from sheetnet.regions import COMPARE, TRAIN
from sheetnet.train_sheets import LAYER_SHEET
from sheetnet.views.compare_inputs import DATA_TITLE, EXPORTED, LIST_TITLE, NAME, start_title
from sheetnet.views.compare_listing import MAX_NAMED

_UNIFORM = re.compile(r"r(\d+)\[(\d+)\]")
_BIAS = re.compile(r"ub(\d+)\[1\]")


@dataclass(frozen=True)
class Trained:
    """The training that stands on ``Train``: None, or empty, where it does not show.

    Attributes
    ----------
    order: the samples of the first epoch.
    batch_size: visits up to the second batch, or of the whole epoch where there is none.
    uniforms: (layer, unit) -> the number that dropout drew for the first batch.
    biases: the layers whose biases are trained.

    """

    order: tuple[int, ...] = ()
    epochs: int | None = None
    batch_size: int | None = None
    uniforms: dict[tuple[int, int], float] = field(default_factory=dict)
    biases: frozenset[int] | None = None

    @property
    def rows(self) -> int | None:
        """Training rows."""
        return len(self.order) or None


@dataclass(frozen=True)
class Copies:
    """The copies on ``Compare``.

    Attributes
    ----------
    numbers: the hyperparameters.
    starts: of each layer weights and, in the last column, biases: (units, inputs + 1).
    data: raw inputs, then raw targets or coded classes: (rows, columns).

    """

    numbers: dict[str, float]
    starts: tuple[Array, ...]
    data: Array


def network_of(config: Grid) -> str | None:
    """What the title of ``Config`` says the network is."""
    cell = config.at(*CONFIG_NETWORK)
    if isinstance(cell, Odd) and cell.kind == "text" and cell.text.startswith(NETWORK):
        return cell.text.removeprefix(NETWORK)
    return None


def read_trained(package: Package) -> Trained:
    """Look at the first epoch of ``Train``, and at the first visit on the sheets of layers."""
    if TRAIN not in package.sheets:
        return Trained()
    names: dict[int, str] = {}
    order: list[int] = []
    starts: list[int] = []

    def see(row: int, column: int, content: float | str, _: int) -> bool:
        if row == TRAIN_NAME_ROW:
            names[column] = str(content)
        if row < TRAIN_FIRST_ROW or isinstance(content, str):
            return True
        name = names.get(column, "")
        if name == "epoch" and content > 1:
            return False
        if name == "sample":
            order.append(int(content))
        elif name == "first" and content == 1:
            starts.append(row - TRAIN_FIRST_ROW)
        return True

    last = scan(package, TRAIN, see)
    rows = len(order)
    if not rows or sorted(order) != list(range(1, rows + 1)):
        return Trained()
    visits = 0 if last is None else last - TRAIN_FIRST_ROW + 1
    epochs = visits // rows if visits >= rows and visits % rows == 0 else None
    batch = (starts[1] if len(starts) > 1 else rows) if starts else 1
    first: dict[str, float] = {}
    for title in package.sheets:
        if title == TRAIN or title.startswith(LAYER_SHEET):
            first.update(_first_visit(package, title))
    drawn = ((_UNIFORM.fullmatch(name), value) for name, value in first.items())
    uniforms = {(int(found[1]), int(found[2])): value for found, value in drawn if found}
    biases = frozenset(int(found[1]) for found in map(_BIAS.fullmatch, first) if found)
    return Trained(tuple(order), epochs, batch, uniforms, biases)


def _first_visit(package: Package, title: str) -> dict[str, float]:
    """Plain name -> number in the first row of a sheet of the ledger; nan for what is none."""
    names: dict[int, str] = {}
    numbers: dict[str, float] = {}

    def see(row: int, column: int, content: float | str, _: int) -> bool:
        if row == TRAIN_NAME_ROW:
            names[column] = str(content)
        elif row == TRAIN_FIRST_ROW and isinstance(content, float):
            numbers[names.get(column, "")] = content
        return row <= TRAIN_FIRST_ROW

    scan(package, title, see)
    return {**dict.fromkeys(names.values(), np.nan), **numbers}


def read_copies(package: Package, layout: DataLayout) -> Copies | None:
    """Read what ``Compare`` keeps; None where it does not."""
    if COMPARE not in package.sheets:
        return None
    cells: dict[tuple[int, int], float | str] = {}

    def see(row: int, column: int, content: float | str, _: int) -> bool:
        if cells or (column == NAME and content == LIST_TITLE):
            cells[row, column] = content
        return True

    scan(package, COMPARE, see)
    titles = {text: at for at, text in cells.items() if isinstance(text, str)}
    if LIST_TITLE not in titles or titles.get(DATA_TITLE, (0, 0))[1] != EXPORTED:
        return None
    starts: list[Array] = []
    while (title := titles.get(start_title(len(starts) + 1))) is not None:
        starts.append(_copy(cells, title[0]))
    listed = list(_listed(cells, titles[LIST_TITLE][0] + 2))
    others = 2 * len(starts) + _columns(len(layout.input_names))
    others += 1 if layout.coded else _columns(len(layout.target_names))
    numbers = dict(listed[: len(listed) - others])
    data = _copy(cells, titles[DATA_TITLE][0])
    every = [np.array(list(numbers.values())), data, *starts]
    if not starts or not all(part.size and np.isfinite(part).all() for part in every):
        return None
    return Copies(numbers, tuple(starts), data)


def _columns(count: int) -> int:
    """How many entries of the list so many columns have."""
    return count if count <= MAX_NAMED else 1


def _listed(cells: dict[tuple[int, int], float | str], row: int) -> Iterator[tuple[str, float]]:
    while (row, NAME) in cells:
        held = cells.get((row, EXPORTED))
        yield str(cells[row, NAME]), held if isinstance(held, float) else np.nan
        row += 1


def _copy(cells: dict[tuple[int, int], float | str], title: int) -> Array:
    """The numbers below a title and a row of heads; nan for what is none."""
    width = 0
    while (title + 1, EXPORTED + width) in cells:
        width += 1
    rows = []
    row = title + 2
    while (row, EXPORTED) in cells:
        held = [cells.get((row, EXPORTED + i)) for i in range(width)]
        rows.append([value if isinstance(value, float) else np.nan for value in held])
        row += 1
    return np.array(rows).reshape(len(rows), width)
