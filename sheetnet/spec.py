"""The spec of a run: frozen dataclasses, read from TOML and checked key by key.

The format is documented in the README. Every error names the key, what was given
and what is allowed, and the nearest name where it is a misspelling.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sheetnet import values
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.dropout import HIGHEST_RATE
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.concepts.stopping import MIN_DELTA, PATIENCE
from sheetnet.encodings import not_utf8
from sheetnet.errors import SpecError
from sheetnet.limits import NOT_IN_XML
from sheetnet.values import Matrix


@dataclass(frozen=True)
class DataSpec:
    """Where the table comes from and which of its columns are used how.

    ``validation`` is the share of the rows that are held out, 0: none.
    """

    source: str
    sheet: str | None = None
    inputs: tuple[str, ...] | None = None
    target: tuple[str, ...] | None = None
    scale: str = "none"
    target_scale: str = "none"
    validation: float = 0.0
    rows: int | None = None


@dataclass(frozen=True)
class LayerSpec:
    """One layer; ``weights`` has one row per unit, one column per input of the layer.

    ``units`` may be None in the last layer until the target is known. ``dropout`` is
    the rate; None where the layer has none, and so no columns for it.
    """

    units: int | None
    activation: str
    weights: Matrix | None = None
    bias: tuple[float, ...] | None = None
    train_bias: bool = True
    dropout: float | None = None


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
    """A whole run.

    ``folder`` is where relative data sources are looked for; ``file`` the spec's own;
    ``book`` the workbook that holds spec and rows both, where it was read from one.
    """

    name: str
    folder: Path
    data: DataSpec
    layers: tuple[LayerSpec, ...]
    training: TrainingSpec
    file: Path | None = None
    book: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the run reads."""
        if self.book is not None:
            return (self.book,)
        source = () if self.data.source.startswith("toy:") else (self.folder / self.data.source,)
        return (*source, self.file) if self.file is not None else source

    def override(self, **changes: Any) -> Spec:
        """Return the spec with other values put in; None changes nothing.

        Takes ``rows`` and ``validation`` of ``[data]``, and any key of ``[training]``;
        raises SpecError as the file would. Another optimizer keeps the numbers that the
        old one has too, and has its defaults for the others.
        """
        given = {key: value for key, value in changes.items() if value is not None}
        data = self.data
        if "rows" in given:
            data = dataclasses.replace(data, rows=values.count("data.rows", given.pop("rows")))
        if "validation" in given:
            share = values.share("data.validation", given.pop("validation"))
            data = dataclasses.replace(data, validation=share)
        if not given and data.validation == self.data.validation:
            return dataclasses.replace(self, data=data)
        kept: dict[str, Any] = {
            f.name: getattr(self.training, f.name)
            for f in dataclasses.fields(TrainingSpec)
            if f.name != "hyperparameters" and getattr(self.training, f.name) is not None
        }
        numbers = dict(self._numbers_for(given.get("optimizer")))
        if not data.validation:
            numbers.pop(MIN_DELTA.name, None)  # it comes and goes with the held-out rows
        training = _training({**kept, **numbers, **given}, data)
        return dataclasses.replace(self, data=data, training=training)

    def _numbers_for(self, optimizer: Any) -> Mapping[str, float]:
        """The hyperparameters without those that another optimizer does not know."""
        numbers = self.training.hyperparameters
        if optimizer is None:
            return numbers
        values.choice("training.optimizer", optimizer, OPTIMIZERS)
        old, new = (
            {h.name for h in OPTIMIZERS[name].hyperparameters}
            for name in (self.training.optimizer, optimizer)
        )
        return {name: value for name, value in numbers.items() if name not in old - new}


def load_spec(path: str | Path) -> Spec:
    """Read and check a TOML spec; raises :class:`SpecError` with one line."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path}: not a TOML spec (it is {not_utf8(path)})") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of 5,000 digits among them
        raise SpecError(f"{path}: not valid TOML: {error}") from None
    try:
        spec = parse_spec(document, name=path.stem, folder=path.parent)
        return dataclasses.replace(spec, file=path)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def parse_spec(document: Mapping[str, Any], *, name: str, folder: Path) -> Spec:
    """Check a spec given as nested dictionaries, as TOML yields them."""
    values.known_keys("", document, ("data", "layers", "training"))
    if "data" not in document:
        raise SpecError("[data] is missing: it names the source of the rows")
    layers = document.get("layers")
    if not isinstance(layers, list) or not layers:
        raise SpecError("[[layers]] is missing: a network has one table per layer")
    data = _data(values.table("data", document["data"]))
    return Spec(
        # The name is for people; what a workbook cannot hold is shown as "?".
        name=NOT_IN_XML.sub("?", name),
        folder=folder,
        data=data,
        layers=tuple(
            _layer(index, values.table(f"layers[{index}]", layer), last=index == len(layers))
            for index, layer in enumerate(layers, 1)
        ),
        training=_training(values.table("training", document.get("training", {})), data),
    )


def _data(given: Mapping[str, Any]) -> DataSpec:
    values.known_keys("data", given, values.field_names(DataSpec))
    if "source" not in given:
        raise SpecError('data.source is missing: a .csv or .xlsx file, or "toy:xor"')
    return DataSpec(
        source=values.text("data.source", given["source"]),
        sheet=values.optional("data.sheet", given, values.text),
        inputs=values.optional("data.inputs", given, values.columns),
        target=values.optional("data.target", given, values.columns),
        scale=values.choice("data.scale", given.get("scale", "none"), SCALINGS),
        target_scale=values.choice(
            "data.target_scale", given.get("target_scale", "none"), SCALINGS
        ),
        validation=values.share("data.validation", given.get("validation", 0.0)),
        rows=values.optional("data.rows", given, values.count),
    )


def _layer(index: int, given: Mapping[str, Any], *, last: bool) -> LayerSpec:
    where = f"layers[{index}]"
    values.known_keys(where, given, values.field_names(LayerSpec))
    if "units" not in given and not last:
        raise SpecError(f"{where}.units is missing (only the last layer may leave it out)")
    activation = values.choice(
        f"{where}.activation", given.get("activation", "linear"), ACTIVATIONS
    )
    if ACTIVATIONS[activation].last_only and not last:
        others = ", ".join(name for name, a in ACTIVATIONS.items() if not a.last_only)
        raise SpecError(
            f"{where}.activation is {activation!r}, which is for the last layer only; "
            f"allowed here: {others}"
        )
    return LayerSpec(
        units=values.optional(f"{where}.units", given, values.units),
        activation=activation,
        weights=values.optional(f"{where}.weights", given, values.matrix),
        bias=values.optional(f"{where}.bias", given, values.vector),
        train_bias=values.flag(f"{where}.train_bias", given.get("train_bias", True)),
        dropout=_dropout(f"{where}.dropout", given.get("dropout", 0.0), last=last),
    )


def _dropout(key: str, value: Any, *, last: bool) -> float | None:
    rate = values.bounded(key, value, 0.0, HIGHEST_RATE)
    if rate and last:
        raise SpecError(f"{key} is {rate:g}: dropout is for hidden layers, not for the last")
    return rate or None


def _training(given: Mapping[str, Any], data: DataSpec) -> TrainingSpec:
    plain = [name for name in values.field_names(TrainingSpec) if name != "hyperparameters"]
    optimizer = values.choice("training.optimizer", given.get("optimizer", "sgd"), OPTIMIZERS)
    numbers = {h.name: h for h in OPTIMIZERS[optimizer].hyperparameters}
    asked = {h.name: h for h in (*CLIPS, PATIENCE, MIN_DELTA)}
    values.known_keys("training", given, [*plain, *numbers, *asked])
    for h in (PATIENCE, MIN_DELTA):
        if h.name in given and not data.validation:
            raise SpecError(
                f"training.{h.name} needs held-out rows: data.validation is 0, a share such as "
                "0.2 is needed"
            )
    numbers |= {name: h for name, h in asked.items() if name in given}
    if data.validation:
        numbers[MIN_DELTA.name] = MIN_DELTA
    loss = given.get("loss")
    return TrainingSpec(
        loss=None if loss is None else values.choice("training.loss", loss, LOSSES),
        epochs=values.count("training.epochs", given.get("epochs", 1)),
        batch_size=values.count("training.batch_size", given.get("batch_size", 1)),
        shuffle=values.flag("training.shuffle", given.get("shuffle", False)),
        seed=values.seed("training.seed", given.get("seed", 0)),
        optimizer=optimizer,
        initializer=values.choice(
            "training.initializer", given.get("initializer", "uniform"), INITIALIZERS
        ),
        hyperparameters={
            name: values.hyperparameter(f"training.{name}", given.get(name, h.default), h)
            for name, h in numbers.items()
        },
    )
