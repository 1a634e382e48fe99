"""``Config`` read back: the spec that its cells show now."""

from __future__ import annotations

import dataclasses
from typing import Any

from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.dropout import HIGHEST_RATE, rate_name
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.stopping import MIN_DELTA, PATIENCE
from sheetnet.errors import WorkbookError
from sheetnet.layout import CONFIG_FIRST_ROW, CONFIG_KEY, CONFIG_VALUE, LAYERS_HEADER
from sheetnet.reader.cells import Odd, where
from sheetnet.reader.inputs import InputSheet, holds
from sheetnet.regions import CONFIG
from sheetnet.spec import LayerSpec, Spec, parse_spec
from sheetnet.values import bounded


def config_keys(config: InputSheet) -> dict[str, int]:
    """Key in column A -> its row; the first occurrence counts."""
    found: dict[str, int] = {}
    for row in range(CONFIG_FIRST_ROW, config.grid.numbers.shape[0] + 1):
        cell = config.grid.odd.get((row, CONFIG_KEY))
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


def config_spec(config: InputSheet, keys: dict[str, int]) -> Spec:
    """The spec that ``Config`` shows, checked like any other."""

    def value(key: str) -> Any:
        row = row_of(config, keys, key)
        return _plain(config.at(row, CONFIG_VALUE), config, row, key)

    training = {
        key: value(key)
        for key in ("loss", "optimizer", "epochs", "batch_size", "shuffle", "seed", "initializer")
    }
    optimizer = OPTIMIZERS.get(str(training["optimizer"]))
    needed = [h.name for h in optimizer.hyperparameters] if optimizer else []
    for name in needed:
        if name not in keys:
            value(name)
    asked = (*CLIPS, PATIENCE, MIN_DELTA)
    for name in (*needed, *(h.name for h in asked if h.name in keys)):
        training[name] = config.number(keys[name], CONFIG_VALUE, name)
    document = {
        "data": {key: value(key) for key in ("source", "scale", "target_scale", "validation")},
        "layers": _layer_tables(config, keys),
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
        layers.append(dataclasses.replace(layer, dropout=rate))
    return tuple(layers)


def _plain(value: float | Odd, config: InputSheet, row: int, key: str) -> Any:
    """A cell as TOML would give it: whole numbers as int."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value.kind == "boolean":
        return value.text == "TRUE"
    if value.kind == "text":
        return value.text
    raise WorkbookError(
        f"{config.package.path.name}: {where(CONFIG, row, CONFIG_VALUE)} ({key}) {holds(value)}"
    )


def _layer_tables(config: InputSheet, keys: dict[str, int]) -> list[dict[str, Any]]:
    if "layer" not in keys:
        raise WorkbookError(
            f"{config.package.path.name} was not written by sheetnet: "
            f"{CONFIG} has no table of layers"
        )
    tables: list[dict[str, Any]] = []
    row = keys["layer"] + 1
    while isinstance(config.at(row, 1), float):
        cells = {
            name: _plain(config.at(row, column), config, row, name)
            for column, name in enumerate(LAYERS_HEADER, 1)
        }
        tables.append({name: cells[name] for name in ("units", "activation", "train_bias")})
        row += 1
    return tables
