"""A spec as a commented TOML file: what ``parse_spec`` reads back as the same spec."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import tomlkit

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.concepts.stopping import MIN_DELTA, PATIENCE
from sheetnet.errors import OutputError
from sheetnet.limits import NOT_IN_XML
from sheetnet.spec import DataSpec, LayerSpec, Spec, TrainingSpec

TOY = "toy:"
WIDTH = 33
"""Comments begin in this column where the value leaves room."""

_NOT_IN_COMMENTS = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def _any_of(records: Mapping[str, Any]) -> str:
    return " | ".join(records)


DATA_COMMENTS = {
    "source": "a .csv or .xlsx file beside this spec, or a toy set",
    "sheet": "the sheet of the .xlsx file",
    "inputs": "columns",
    "target": "a column, or a list of them",
    "scale": f"{_any_of(SCALINGS)}: the inputs",
    "target_scale": f"{_any_of(SCALINGS)}: numeric targets",
    "validation": "share of rows held out, drawn from the seed",
    "rows": "use the first N rows",
}

HIDDEN_COMMENTS = {
    "units": "a hidden layer",
    "activation": _any_of({name: a for name, a in ACTIVATIONS.items() if not a.last_only}),
    "dropout": "of this layer's outputs while training",
    "weights": "a row per unit, a column per input of the layer",
    "bias": "one per unit",
    "train_bias": "false: the bias stays as it is",
}

LAST_COMMENTS = {
    **HIDDEN_COMMENTS,
    "units": "follows from the target",
    "activation": _any_of(ACTIVATIONS),
}

TRAINING_COMMENTS = {
    "loss": _any_of(LOSSES),
    "epochs": "how often each row is visited",
    "seed": "of everything that is drawn at random",
    "batch_size": "samples for each update",
    "shuffle": "a new order of the rows each epoch",
    "optimizer": _any_of(OPTIMIZERS),
    "initializer": f"{_any_of(INITIALIZERS)}: weights that are not given",
}


def spec_document(spec: Spec) -> dict[str, Any]:
    """Return the spec as nested dictionaries, as TOML yields them.

    ``parse_spec(spec_document(spec), name=spec.name, folder=spec.folder)`` equals the
    spec (but for ``file``). What is not given is left out.
    """
    data = _table(spec.data)
    if spec.data.target is not None and len(spec.data.target) == 1:
        data["target"] = spec.data.target[0]
    return {
        "data": data,
        "layers": [_table(layer) for layer in spec.layers],
        "training": _training(spec),
    }


def _table(record: DataSpec | LayerSpec | TrainingSpec, without: str = "") -> dict[str, Any]:
    given = {f.name: getattr(record, f.name) for f in fields(record) if f.name != without}
    return {name: _plain(value) for name, value in given.items() if value is not None}


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _known(spec: Spec) -> dict[str, Hyperparameter]:
    own = OPTIMIZERS[spec.training.optimizer].hyperparameters
    return {h.name: h for h in (*own, *CLIPS, PATIENCE, MIN_DELTA)}


def _training(spec: Spec) -> dict[str, Any]:
    known = _known(spec)
    given = _table(spec.training, without="hyperparameters")
    last = given.pop("initializer")
    for name, value in spec.training.hyperparameters.items():
        given[name] = int(value) if known[name].whole else value
    return {**given, "initializer": last}


def spec_text(spec: Spec, *, heading: Iterable[str] = ()) -> str:
    """Return the spec as TOML with a comment on each key; ``heading``: lines on top.

    Reading it back gives the same spec, floats to the last bit.
    """
    document = spec_document(spec)
    return "\n".join([*map(comment_line, heading), *_lines(spec, document)]) + "\n"


def _lines(spec: Spec, document: Mapping[str, Any]) -> Iterator[str]:
    yield "[data]"
    yield from _pairs(document["data"], DATA_COMMENTS)
    *hidden, last = document["layers"]
    for layer in hidden:
        yield from ("", "[[layers]]")
        yield from _pairs(layer, HIDDEN_COMMENTS)
    yield from ("", "[[layers]]")
    yield from _pairs(last, LAST_COMMENTS)
    yield from ("", "[training]")
    meanings = {name: h.meaning for name, h in _known(spec).items()}
    yield from _pairs(document["training"], {**TRAINING_COMMENTS, **meanings})


def _pairs(table: Mapping[str, Any], comments: Mapping[str, str]) -> Iterator[str]:
    for key, value in table.items():
        pair = f"{key} = {tomlkit.item(value).as_string()}"
        comment = comments.get(key)
        yield f"{pair:<{WIDTH}}{comment_line(comment)}" if comment and len(pair) < WIDTH else pair


def comment_line(text: str) -> str:
    """Return a comment's line; names of files may hold what TOML does not allow there."""
    return f"# {_NOT_IN_COMMENTS.sub('?', text)}".rstrip()


def source_from(spec: Spec, folder: Path) -> str:
    """Return ``data.source`` as a spec in ``folder`` names the same file.

    Raises :class:`OutputError` where the way there cannot be written in a spec.
    """
    source = spec.data.source
    if source.startswith(TOY) or Path(source).is_absolute():
        return source
    # Only folders are resolved: a link to the data keeps its name, and so its kind.
    target = (spec.folder / source).parent.resolve() / Path(source).name
    try:
        way = Path(os.path.relpath(target, folder.resolve())).as_posix()
    except ValueError:  # another drive
        way = target.as_posix()
    if NOT_IN_XML.search(way):
        raise OutputError(f"{folder}: a spec there cannot name the path of {source}")
    return f"./{way}" if way.startswith(TOY) else way
