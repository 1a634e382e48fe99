"""``Config`` as it stands now: its spec, and cells that must agree with the other sheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.stopping import PATIENCE
from sheetnet.data import Table, rows_held_out
from sheetnet.data_layout import coding_of
from sheetnet.editing.past import Trained
from sheetnet.editing.rows import Rows
from sheetnet.editing.start import Start
from sheetnet.errors import SpecError, WorkbookError
from sheetnet.layout import CONFIG_VALUE
from sheetnet.problem import Problem
from sheetnet.reader.cells import where
from sheetnet.reader.config import config_spec, config_value, layer_cells
from sheetnet.reader.inputs import InputSheet
from sheetnet.regions import CONFIG, INIT
from sheetnet.spec import Spec
from sheetnet.values import bounded


def read_spec(
    config: InputSheet, keys: dict[str, int], share: float, path: Path
) -> tuple[Spec, tuple[str, ...]]:
    """The spec, ``share`` of whose rows are held out; what is to be said of it."""
    if not share and PATIENCE.name in keys:
        raise WorkbookError(
            f"{path.name}: {_at(keys, PATIENCE.name)} needs rows to validate with, but no row of "
            "Data is held out"
        )
    try:
        spec = config_spec(config, keys, share=share, defaults=True)
    except SpecError as error:
        raise SpecError(f"{_named(str(error), keys)}{error}") from None
    own = OPTIMIZERS[spec.training.optimizer].hyperparameters
    notes = [
        f"{h.name} is {spec.training.hyperparameters[h.name]:g}, the default of "
        f"{spec.training.optimizer}: {CONFIG} has none"
        for h in own
        if h.name not in keys
    ]
    others = {h.name for o in OPTIMIZERS.values() for h in o.hyperparameters}
    notes += [
        f"{_at(keys, name)} is left out: {spec.training.optimizer} has none"
        for name in sorted(others - {h.name for h in own} & set(keys), key=str)
        if name in keys
    ]
    return replace(spec, book=path), tuple(notes)


def _at(keys: dict[str, int], key: str) -> str:
    return f"{where(CONFIG, keys[key], CONFIG_VALUE)} ({key})"


def _named(message: str, keys: dict[str, int]) -> str:
    """The cell of the key that a message begins with: ``Config!B17: ``."""
    key = message.split(" ", maxsplit=1)[0].rpartition(".")[2]
    return f"{where(CONFIG, keys[key], CONFIG_VALUE)}: " if key in keys else ""


def share_held_out(
    config: InputSheet, keys: dict[str, int], rows: Rows, exported: tuple[int, int] | None
) -> float:
    """The share of the rows that is held out, as a spec would have it.

    ``exported`` are the rows in all and those held out at export, where they are known.
    What is used for what stands on ``Data``; where no row is held out there, ``Config`` may
    ask for some.
    """
    given = bounded(f"{CONFIG} validation", config_value(config, keys, "validation"), 0.0, 1.0)
    table = rows.table
    if not rows.split:
        return given
    now = table.rows, table.held_out
    if exported is not None and not any(
        rows_held_out(rows, given) == held for rows, held in (now, exported)
    ):
        raise WorkbookError(
            f"{config.package.path.name}: {_at(keys, 'validation')} is {given:g}, but "
            f"{table.held_out} of {table.rows} rows are held out: which ones stands on Data, in "
            "the column 'used for', and may be changed there"
        )
    return share_of(table.rows, table.held_out, given)


def share_of(rows: int, held_out: int, wanted: float) -> float:
    """The share that comes to so many of the rows: the wanted one if it does."""
    return wanted if rows_held_out(rows, wanted) == held_out else held_out / rows


def check_counts(
    config: InputSheet, keys: dict[str, int], rows: Rows, trained: Trained, total: int | None
) -> None:
    """Raise :class:`WorkbookError` where ``Config`` says other sizes than ``Data`` has.

    Rows may be as many as they were at export (where ``total`` is known) or as they are.
    """
    table, exported = rows.table, trained.rows
    held = None if total is None or exported is None else total - exported
    hint = "what stands on Data counts (--rows takes the first ones)"
    other = "other columns need a new spec (sheetnet new)"
    for key, now, then, told in (
        ("rows", table.training_rows, exported, hint),
        ("held_out", table.held_out, held, "what stands on Data counts"),
        ("inputs", len(table.input_names), len(table.input_names), other),
        ("targets", len(table.target_names), len(table.target_names), other),
    ):
        given = config_value(config, keys, key)
        if then is not None and given not in (now, then):
            raise WorkbookError(
                f"{config.package.path.name}: {_at(keys, key)} is {given}, but Data has {now}: "
                f"{told}"
            )


def check_rest(
    config: InputSheet, keys: dict[str, int], problem: Problem, rows: Rows, starts: Iterable[Start]
) -> None:
    """Raise :class:`WorkbookError` for a cell that follows from others and does not agree."""
    given = config_value(config, keys, "coding")
    layout = rows.layout
    then = "none" if not layout.coded else "0/1" if layout.outputs == 1 else "one-hot"
    now = coding_of(problem)
    if given not in (then, now):
        raise WorkbookError(
            f"{config.package.path.name}: {_at(keys, 'coding')} is {given!r}, but the targets and "
            f"the last layer make it {now!r}"
        )
    sizes = [start.sizes for start in starts]
    told = layer_cells(config, keys, ("inputs", "parameters"))
    for layer, cells in zip(problem.network.layers, told, strict=True):
        allowed = {(layer.units, layer.inputs), *sizes[layer.index - 1 : layer.index]}
        for key, follows in (
            ("inputs", {i for _, i in allowed}),
            ("parameters", {u * (i + 1) for u, i in allowed}),
        ):
            if cells[key] not in follows:
                size = layer.inputs if key == "inputs" else layer.units * (layer.inputs + 1)
                raise WorkbookError(
                    f"{config.package.path.name}: {CONFIG} says that layer {layer.index} has "
                    f"{cells[key]} {key}; they follow from the units, and are {size}"
                )


def check_starts(
    config: InputSheet, spec: Spec, table: Table, starts: Sequence[Start], network: str | None
) -> None:
    """Raise :class:`WorkbookError` for a block of ``Init`` that has lost or gained cells.

    Its size may be that of the exported network (``2-3-1: ...``) or that of the present one.
    """
    if network is None:
        return
    exported = network.partition(":")[0].split("-")
    now = [str(n) for n in (len(table.input_names), *(layer.units for layer in spec.layers))]
    for index, start in enumerate(starts, 1):
        size = [str(n) for n in reversed(start.sizes)]
        if size not in (exported[index - 1 : index + 1], now[index - 1 : index + 1]):
            raise WorkbookError(
                f"{config.package.path.name}: {INIT} has {start.sizes[0]} rows of {start.sizes[1]} "
                f"weights for layer {index}; the network has {'-'.join(now)} units, "
                f"at export {'-'.join(exported)}"
            )
