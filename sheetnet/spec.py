"""The spec of a run: frozen dataclasses, read from TOML and checked key by key.

The format is documented in the README. Every error names the key, what was given
and what is allowed, and the nearest name where it is a misspelling.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.errors import SpecError, nearest

Matrix = tuple[tuple[float, ...], ...]
T = TypeVar("T")


@dataclass(frozen=True)
class DataSpec:
    """Where the table comes from and which of its columns are used how."""

    source: str
    sheet: str | None = None
    inputs: tuple[str, ...] | None = None
    target: tuple[str, ...] | None = None
    scale: str = "none"
    target_scale: str = "none"
    rows: int | None = None


@dataclass(frozen=True)
class LayerSpec:
    """One layer; ``weights`` has one row per unit, one column per input of the layer.

    ``units`` may be None in the last layer until the target is known.
    """

    units: int | None
    activation: str
    weights: Matrix | None = None
    bias: tuple[float, ...] | None = None
    train_bias: bool = True


@dataclass(frozen=True)
class TrainingSpec:
    """How the network is trained; ``loss`` None: by the last activation."""

    loss: str | None = None
    epochs: int = 1
    batch_size: int = 1
    shuffle: bool = False
    seed: int = 0
    optimizer: str = "sgd"
    initializer: str = "uniform"
    hyperparameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def learning_rate(self) -> float:
        """The step size α."""
        return self.hyperparameters["learning_rate"]


@dataclass(frozen=True)
class Spec:
    """A whole run. ``folder`` is where relative data sources are looked for."""

    name: str
    folder: Path
    data: DataSpec
    layers: tuple[LayerSpec, ...]
    training: TrainingSpec

    def override(self, **changes: Any) -> Spec:
        """Return the spec with options of the command line put in; None changes nothing.

        Takes ``rows`` and any key of ``[training]``; raises SpecError as the file would.
        """
        given = {key: value for key, value in changes.items() if value is not None}
        data = self.data
        if "rows" in given:
            data = dataclasses.replace(data, rows=_count("data.rows", given.pop("rows")))
        if not given:
            return dataclasses.replace(self, data=data)
        kept: dict[str, Any] = {
            f.name: getattr(self.training, f.name)
            for f in dataclasses.fields(TrainingSpec)
            if f.name != "hyperparameters" and getattr(self.training, f.name) is not None
        }
        training = _training({**kept, **self.training.hyperparameters, **given})
        return dataclasses.replace(self, data=data, training=training)


def load_spec(path: str | Path) -> Spec:
    """Read and check a TOML spec; raises :class:`SpecError` with one line."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path}: not a TOML spec (it is not UTF-8 text)") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of 5,000 digits among them
        raise SpecError(f"{path}: not valid TOML: {error}") from None
    try:
        return parse_spec(document, name=path.stem, folder=path.parent)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def parse_spec(document: Mapping[str, Any], *, name: str, folder: Path) -> Spec:
    """Check a spec given as nested dictionaries, as TOML yields them."""
    _known("", document, ("data", "layers", "training"))
    if "data" not in document:
        raise SpecError("[data] is missing: it names the source of the rows")
    layers = document.get("layers")
    if not isinstance(layers, list) or not layers:
        raise SpecError("[[layers]] is missing: a network has one table per layer")
    return Spec(
        name=name,
        folder=folder,
        data=_data(_table("data", document["data"])),
        layers=tuple(
            _layer(index, _table(f"layers[{index}]", layer), last=index == len(layers))
            for index, layer in enumerate(layers, 1)
        ),
        training=_training(_table("training", document.get("training", {}))),
    )


def _data(given: Mapping[str, Any]) -> DataSpec:
    _known("data", given, _names(DataSpec))
    if "source" not in given:
        raise SpecError('data.source is missing: a .csv or .xlsx file, or "toy:xor"')
    return DataSpec(
        source=_text("data.source", given["source"]),
        sheet=_optional("data.sheet", given, _text),
        inputs=_optional("data.inputs", given, _columns),
        target=_optional("data.target", given, _columns),
        scale=_choice("data.scale", given.get("scale", "none"), SCALINGS),
        target_scale=_choice("data.target_scale", given.get("target_scale", "none"), SCALINGS),
        rows=_optional("data.rows", given, _count),
    )


def _layer(index: int, given: Mapping[str, Any], *, last: bool) -> LayerSpec:
    where = f"layers[{index}]"
    _known(where, given, _names(LayerSpec))
    if "units" not in given and not last:
        raise SpecError(f"{where}.units is missing (only the last layer may leave it out)")
    activation = _choice(f"{where}.activation", given.get("activation", "linear"), ACTIVATIONS)
    if ACTIVATIONS[activation].last_only and not last:
        others = ", ".join(name for name, a in ACTIVATIONS.items() if not a.last_only)
        raise SpecError(
            f"{where}.activation is {activation!r}, which is for the last layer only; "
            f"allowed here: {others}"
        )
    return LayerSpec(
        units=_optional(f"{where}.units", given, _count),
        activation=activation,
        weights=_optional(f"{where}.weights", given, _matrix),
        bias=_optional(f"{where}.bias", given, _vector),
        train_bias=_flag(f"{where}.train_bias", given.get("train_bias", True)),
    )


def _training(given: Mapping[str, Any]) -> TrainingSpec:
    plain = [name for name in _names(TrainingSpec) if name != "hyperparameters"]
    optimizer = _choice("training.optimizer", given.get("optimizer", "sgd"), OPTIMIZERS)
    numbers = {h.name: h for h in OPTIMIZERS[optimizer].hyperparameters}
    _known("training", given, [*plain, *numbers])
    batch_size = _count("training.batch_size", given.get("batch_size", 1))
    if batch_size != 1:
        raise SpecError(
            f"training.batch_size is {batch_size}: allowed is 1, one update for each sample"
        )
    loss = given.get("loss")
    return TrainingSpec(
        loss=None if loss is None else _choice("training.loss", loss, LOSSES),
        epochs=_count("training.epochs", given.get("epochs", 1)),
        batch_size=batch_size,
        shuffle=_flag("training.shuffle", given.get("shuffle", False)),
        seed=_seed("training.seed", given.get("seed", 0)),
        optimizer=optimizer,
        initializer=_choice(
            "training.initializer", given.get("initializer", "uniform"), INITIALIZERS
        ),
        hyperparameters={
            name: bounded(f"training.{name}", given.get(name, h.default), h.low, h.high)
            for name, h in numbers.items()
        },
    )


# --- one check per kind of value; each names the key, what was given and what is allowed


def _names(kind: type[Any]) -> list[str]:
    return [f.name for f in dataclasses.fields(kind)]


def _known(where: str, given: Mapping[str, Any], allowed: list[str] | tuple[str, ...]) -> None:
    for key in given:
        if key not in allowed:
            full = f"{where}.{key}" if where else key
            raise SpecError(
                f"unknown key {full}{nearest(key, allowed)}; allowed: {', '.join(allowed)}"
            )


def _table(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(f"{where} is {_shown(value)}: a table of keys is needed")
    return value


def _optional(key: str, given: Mapping[str, Any], check: Callable[[str, Any], T]) -> T | None:
    value = given.get(key.rsplit(".", 1)[1])
    return None if value is None else check(key, value)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SpecError(f"{key} is {_shown(value)}: a text is needed")
    return value


def _choice(key: str, value: Any, allowed: Mapping[str, Any]) -> str:
    if not isinstance(value, str) or value not in allowed:
        hint = nearest(value, allowed) if isinstance(value, str) else ""
        raise SpecError(f"{key} is {_shown(value)}{hint}; allowed: {', '.join(allowed)}")
    return value


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise SpecError(f"{key} is {_shown(value)}: true or false is needed")
    return value


def _count(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**9:
        raise SpecError(f"{key} is {_shown(value)}: a whole number from 1 is needed")
    return value


def _seed(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**32:
        raise SpecError(f"{key} is {_shown(value)}: a whole number from 0 to 4294967295 is needed")
    return value


def number(key: str, value: Any) -> float:
    """Return the value as a finite float or raise SpecError naming ``key``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SpecError(f"{key} is {_shown(value)}: a number is needed")
    try:
        real = float(value)
    except OverflowError:
        real = math.inf
    if not math.isfinite(real):
        raise SpecError(f"{key} is {_shown(value)}: a finite number is needed")
    return real


def bounded(key: str, value: Any, low: float, high: float | None) -> float:
    """Return a finite float in low … high (None: no bound) or raise SpecError."""
    real = number(key, value)
    if real < low or (high is not None and real > high):
        allowed = f"from {low:g} to {high:g}" if high is not None else f"from {low:g}"
        raise SpecError(f"{key} is {_shown(value)}: a number {allowed} is needed")
    return real


def _vector(key: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not value:
        raise SpecError(f"{key} is {_shown(value)}: a list of numbers is needed")
    return tuple(number(f"{key}[{i}]", item) for i, item in enumerate(value, 1))


def _matrix(key: str, value: Any) -> Matrix:
    if not isinstance(value, list) or not value:
        raise SpecError(f"{key} is {_shown(value)}: a list of rows, one per unit, is needed")
    rows = tuple(_vector(f"{key}[{j}]", row) for j, row in enumerate(value, 1))
    if len({len(row) for row in rows}) != 1:
        raise SpecError(f"{key}: its rows have different lengths ({[len(r) for r in rows]})")
    return rows


def _columns(key: str, value: Any) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if (
        not isinstance(names, (list, tuple))
        or not names
        or not all(isinstance(name, str) and name for name in names)
    ):
        raise SpecError(f"{key} is {_shown(value)}: a column's name or a list of them is needed")
    repeated = [name for name in names if list(names).count(name) > 1]
    if repeated:
        raise SpecError(f"{key} names {repeated[0]!r} more than once")
    return tuple(names)


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or of nested tables
        return "too much to show"
    return text if len(text) <= 60 else text[:57] + "..."
