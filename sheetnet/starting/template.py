"""A draft as text: every key that a spec may have, those that are not given commented out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import tomlkit

from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.dropout import HIGHEST_RATE
from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.concepts.optimizers import LEARNING_RATE, OPTIMIZERS
from sheetnet.concepts.stopping import MIN_DELTA, PATIENCE
from sheetnet.spec import TrainingSpec
from sheetnet.spec_writer import (
    DATA_COMMENTS,
    HIDDEN_COMMENTS,
    LAST_COMMENTS,
    TRAINING_COMMENTS,
    WIDTH,
    comment_line,
)
from sheetnet.starting.draft import Draft

LONGEST = 100
SHORT_MATRIX = 8
"""An example of weights is written out up to so many numbers."""

HOW_TO_READ = (
    "A key behind # is optional and not in force: take the # away and set it. What stands "
    "behind it is its default, or an example where there is none."
)

_DEFAULTS = TrainingSpec()

Keys = Mapping[str, tuple[Any, str]]
"""Key -> (default or example, comment)."""

DATA: Keys = {
    "source": ("toy:xor", "a .csv or .xlsx file as seen from this spec, or a toy set (toy:xor)"),
    "sheet": ("Sheet1", f"{DATA_COMMENTS['sheet']}; default: the first"),
    "inputs": (["x1", "x2"], "columns; default: all of numbers but the targets"),
    "target": ("y", "a column, or a list of columns of numbers"),
    "scale": ("none", DATA_COMMENTS["scale"]),
    "target_scale": ("none", DATA_COMMENTS["target_scale"]),
    "validation": (0.0, f"{DATA_COMMENTS['validation']}; 0 to below 1"),
    "rows": (100, f"{DATA_COMMENTS['rows']}; default: all"),
}

_MORE = {
    "dropout": f"share of outputs left out while training, 0 to {HIGHEST_RATE:g}",
    "weights": f"the first ones: {HIDDEN_COMMENTS['weights']}; default: drawn",
    "bias": f"the first ones: {HIDDEN_COMMENTS['bias']}; default: 0",
    "train_bias": HIDDEN_COMMENTS["train_bias"],
}


def _of_layer(units: int, inputs: int, *, last: bool) -> Keys:
    matrix: Any = [[0.1] * inputs for _ in range(units)]
    examples = {
        "units": units,
        "activation": "linear",
        "dropout": 0.0,
        "weights": matrix if units * inputs <= SHORT_MATRIX else None,
        "bias": [0.0] * units if units <= SHORT_MATRIX else None,
        "train_bias": True,
    }
    comments = {**(LAST_COMMENTS if last else HIDDEN_COMMENTS), **_MORE}
    shown = [name for name in examples if not (last and name == "dropout")]
    return {name: (examples[name], comments[name]) for name in shown}


def _training_keys() -> Keys:
    plain: dict[str, tuple[Any, str]] = {
        name: (getattr(_DEFAULTS, name), comment) for name, comment in TRAINING_COMMENTS.items()
    }
    for name in ("epochs", "batch_size"):
        plain[name] = (plain[name][0], f"{plain[name][1]}, a whole number from 1")
    plain["shuffle"] = (plain["shuffle"][0], f"true: {plain['shuffle'][1]}")
    plain["seed"] = (plain["seed"][0], f"{plain['seed'][1]}, a whole number")
    plain["loss"] = ("mse", f"{TRAINING_COMMENTS['loss']}; default: by the last layer")
    own: dict[str, tuple[Any, str]] = {}
    for h in _own_numbers():
        owners = ", ".join(
            name for name, record in OPTIMIZERS.items() if h in record.hyperparameters
        )
        own[h.name] = (_number(h), f"{owners}: {h.meaning}{_bounds(h)}")
    # Each in its place: what every run needs first, then what an optimizer has of its own.
    first = {name: plain.pop(name) for name in ("loss", "epochs")}
    rest = {
        h.name: (_number(h), f"{h.meaning}{_bounds(h)}{_needs(h)}")
        for h in (*CLIPS, PATIENCE, MIN_DELTA)
    }
    rate = {
        LEARNING_RATE.name: (
            LEARNING_RATE.default,
            f"{LEARNING_RATE.meaning}{_bounds(LEARNING_RATE)}",
        )
    }
    initializer = {"initializer": plain.pop("initializer")}
    return {**first, **rate, **plain, **own, **rest, **initializer}


def _own_numbers() -> list[Hyperparameter]:
    found = {h.name: h for record in OPTIMIZERS.values() for h in record.hyperparameters}
    return [h for name, h in found.items() if name != LEARNING_RATE.name]


def _number(h: Hyperparameter) -> int | float:
    return int(h.default) if h.whole else h.default


def _bounds(h: Hyperparameter) -> str:
    return f", from {h.low:g}" if h.high is None else f", {h.low:g} to {h.high:g}"


def _needs(h: Hyperparameter) -> str:
    if h in CLIPS:
        return "; default: none"
    return "; needs validation" + ("; default: none" if h is PATIENCE else "")


TRAINING = _training_keys()


def text_of(draft: Draft) -> str:
    """Return the draft as a commented TOML file."""
    heading = [line for text in (*draft.heading, HOW_TO_READ) for line in _wrapped(text)]
    return "\n".join([*heading, *_lines(draft)]) + "\n"


def _lines(draft: Draft) -> Iterator[str]:
    data, layers = draft.document["data"], draft.document["layers"]
    yield "[data]"
    yield from _table("data", data, DATA, draft.notes)
    inputs = len(data.get("inputs", DATA["inputs"][0]))
    for index, layer in enumerate(layers):
        last = index == len(layers) - 1
        units = layer.get("units", 1)
        keys = _of_layer(units, inputs, last=last)
        if not (last or index == 0):  # said of the first one already
            keys = {name: key for name, key in keys.items() if name in layer}
        yield ""
        yield from _noted("last layer" if last else "layers" if index == 0 else "", draft.notes)
        yield "[[layers]]"
        yield from _table("last layer" if last else "layers", layer, keys, draft.notes)
        inputs = units
    yield ""
    yield from _noted("training", draft.notes)
    yield "[training]"
    yield from _table("training", draft.document["training"], TRAINING, draft.notes)


def _table(
    where: str, given: Mapping[str, Any], keys: Keys, notes: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    for name, (example, comment) in keys.items():
        yield from _noted(f"{where}.{name}", notes)
        if name in given:
            yield from _pair(name, given[name], comment)
        elif example is None:
            yield f"# {name} = …".ljust(WIDTH) + comment_line(comment)
        else:
            yield from _pair(name, example, comment, before="# ")


def _noted(key: str, notes: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for text in notes.get(key, ()):
        yield from _wrapped(text)


def _wrapped(text: str) -> Iterator[str]:
    # Names may hold line ends: what a comment cannot hold is taken out first.
    plain = comment_line(text).removeprefix("# ")
    for line in textwrap.wrap(plain, LONGEST - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"


def _pair(name: str, value: Any, comment: str, before: str = "") -> Iterator[str]:
    """A key with its value: on one line with its comment, or a long list over several."""
    line = f"{before}{name} = {_toml(value)}"
    beside = WIDTH + len(comment_line(comment)) <= LONGEST
    if len(line) < WIDTH and beside:
        yield f"{line:<{WIDTH}}{comment_line(comment)}"
    elif len(line) + len(comment) + 4 <= LONGEST:
        yield f"{line}  {comment_line(comment)}"
    elif len(line) <= LONGEST or not isinstance(value, list):
        yield from _wrapped(comment)
        yield line
    else:
        yield from () if beside else _wrapped(comment)
        yield f"{name} = [".ljust(WIDTH) + comment_line(comment) if beside else f"{name} = ["
        yield from (f"    {row}" for row in _rows(value))
        yield "]"


def _rows(value: Sequence[Any]) -> Iterator[str]:
    """The lines of a long list: rows of a matrix each begin a new one."""
    if not any(isinstance(item, list) for item in value):
        yield from _filled(_toml(item) for item in value)
        return
    for row in value:
        first, *more = _filled(_toml(item) for item in row)
        if more:
            yield f"[{first}"
            yield from (f" {line}" for line in more[:-1])
            yield f" {more[-1]}],"
        else:
            yield f"[{first.removesuffix(',')}],"


def _filled(items: Iterable[str]) -> Iterator[str]:
    """Items with commas behind them, as many on a line as fit."""
    row = ""
    for item in items:
        longer = f"{row} {item}," if row else f"{item},"
        if row and len(longer) + 6 > LONGEST:
            yield row
            longer = f"{item},"
        row = longer
    if row:
        yield row


def _toml(value: Any) -> str:
    text: str = tomlkit.item(value).as_string()
    return text
