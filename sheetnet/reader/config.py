"""``Config`` read back: the spec that its cells show now."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.dropout import HIGHEST_RATE, rate_name
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.stopping import MIN_DELTA, PATIENCE
from sheetnet.errors import SpecError, WorkbookError
from sheetnet.layout import CONFIG_FIRST_ROW, CONFIG_KEY, CONFIG_VALUE, LAYERS_HEADER
from sheetnet.reader.cells import Grid, Odd, where
from sheetnet.reader.inputs import InputSheet, holds
from sheetnet.regions import CONFIG
from sheetnet.spec import LayerSpec, Spec, parse_spec
from sheetnet.values import bounded


def config_keys(config: Grid) -> dict[str, int]:
    """Key in column A -> its row; the first occurrence counts."""
    found: dict[str, int] = {}
    for row in range(CONFIG_FIRST_ROW, config.numbers.shape[0] + 1):
        cell = config.odd.get((row, CONFIG_KEY))
        if cell is not None and cell.kind == "text":
            found.setdefault(cell.text, row)
    return found


def row_of(config: InputSheet, keys: dict[str, int], key: str) -> int:
    """The row of a key; raises WorkbookError where it is not there."""
    if key not in keys:
        raise WorkbookError(
            f"{config.package.path.name} was not written by sheetnet: {CONFIG} has no row {key!r}"
        )
    return keys[key]


def config_value(config: InputSheet, keys: dict[str, int], key: str) -> Any:
    """What stands beside a key, as TOML would give it."""
    row = row_of(config, keys, key)
    return _plain(config.at(row, CONFIG_VALUE), config, row, key)


def config_spec(
    config: InputSheet, keys: dict[str, int], *, share: float | None = None, defaults: bool = False
) -> Spec:
    """The spec that ``Config`` shows, checked like any other.

    ``share`` of the rows is held out, whatever ``Config`` says (None: what it says). With
    ``defaults`` an optimizer may be there whose numbers are not.
    """
    value = partial(config_value, config, keys)

    training = {
        key: value(key)
        for key in ("loss", "optimizer", "epochs", "batch_size", "shuffle", "seed", "initializer")
    }
    optimizer = OPTIMIZERS.get(str(training["optimizer"]))
    needed = [h.name for h in optimizer.hyperparameters] if optimizer else []
    if defaults:
        needed = [name for name in needed if name in keys]
    data = {key: value(key) for key in ("source", "scale", "target_scale", "validation")}
    if share is not None:
        data["validation"] = share
    asked = CLIPS if data["validation"] == 0 and defaults else (*CLIPS, PATIENCE, MIN_DELTA)
    for name in (*needed, *(h.name for h in asked if h.name in keys)):
        training[name] = config.number(row_of(config, keys, name), CONFIG_VALUE, name)
    document = {
        "data": data,
        "layers": layer_cells(config, keys, ("units", "activation", "train_bias")),
        "training": training,
    }
    spec = parse_spec(document, name=str(value("name")), folder=config.package.path.parent)
    return dataclasses.replace(spec, layers=_with_dropout(spec, config, keys))


def _with_dropout(spec: Spec, config: InputSheet, keys: dict[str, int]) -> tuple[LayerSpec, ...]:
    """The layers with their live rates; a rate of 0 keeps its columns."""
    layers = []
    for index, layer in enumerate(spec.layers, 1):
        name = rate_name(index)
        rate = None
        if name in keys:
            given = config.number(keys[name], CONFIG_VALUE, name)
            rate = bounded(f"{CONFIG} {name}", given, 0.0, HIGHEST_RATE)
            if index == len(spec.layers):
                raise SpecError(f"{CONFIG} {name}: dropout is for hidden layers, not for the last")
        layers.append(dataclasses.replace(layer, dropout=rate))
    return tuple(layers)


def _plain(
    value: float | Odd, config: InputSheet, row: int, key: str, column: int = CONFIG_VALUE
) -> Any:
    """A cell as TOML would give it: whole numbers as int."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value.kind == "boolean":
        return value.text == "TRUE"
    if value.kind == "text":
        return value.text
    raise WorkbookError(
        f"{config.package.path.name}: {where(CONFIG, row, column)} ({key}) {holds(value)}"
    )


def layer_cells(
    config: InputSheet, keys: dict[str, int], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Of each layer the cells with these heads."""
    if "layer" not in keys:
        raise WorkbookError(
            f"{config.package.path.name} was not written by sheetnet: "
            f"{CONFIG} has no table of layers"
        )
    tables: list[dict[str, Any]] = []
    row = keys["layer"] + 1
    rows = len(config.grid.numbers)
    while isinstance(config.at(row, 1), float):
        if row == rows:
            raise WorkbookError(f"{config.package.path.name}: {CONFIG} has more than {rows} rows")
        columns = {name: LAYERS_HEADER.index(name) + 1 for name in names}
        tables.append(
            {
                name: _plain(config.at(row, column), config, row, name, column)
                for name, column in columns.items()
            }
        )
        row += 1
    return tables
