"""The formulas of ``Epochs`` and ``Validation``, and what ``Train`` takes from ``Epochs``.

What flows back into training is referenced cell by cell, never as a range over
``Epochs``: applications that follow ranges would find a circle.
"""

from __future__ import annotations

from collections.abc import Mapping

from sheetnet.concepts import cells, summaries
from sheetnet.concepts.cells import Cells
from sheetnet.concepts.stopping import STOPPED, judgements
from sheetnet.concepts.summaries import GRADIENT_NORM, MEAN_LOSS, Spans
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.epoch_ledgers import without_dropout
from sheetnet.formula import Formula, Step, same
from sheetnet.forward_formulas import cells_of, columns_of, forward_columns, lookups
from sheetnet.layout import (
    EPOCHS_BEST_ROW,
    EPOCHS_FIRST_ROW,
    TRAIN_FIRST_ROW,
    VALIDATION_FIRST_ROW,
    Layout,
)
from sheetnet.ledger import Block, Ledger
from sheetnet.network import Layer
from sheetnet.pipeline import GRADIENT, parameters_of
from sheetnet.regions import EPOCHS, VALIDATION, letter, quoted
from sheetnet.stretches import FIXED_FIRST, SIGN, apart, signed

_EPOCH = "{q}"
"""The row of ``Epochs`` that a row of another sheet refers to."""


def stopped_formula(layout: Layout, rows_per_epoch: int) -> Formula:
    """Whether training had ended after the epoch before; in the first it never had."""
    column = letter(layout.ledgers.epochs[STOPPED].first + 1)
    step = Step(_EPOCH, EPOCHS_FIRST_ROW - 1, rows_per_epoch)
    return Formula("0", f"{EPOCHS}!{SIGN}{column}${_EPOCH}", rows_per_epoch, (step, FIXED_FIRST))


def validation_formulas(layout: Layout) -> tuple[Formula | None, ...]:
    """The formula of each column of ``Validation``; None for the constants in front."""
    ledger, network = layout.ledgers.validation, without_dropout(layout.network)
    assert ledger is not None  # asked only where rows are held out
    data, refs = layout.data, cells_of(ledger)
    step = Step(_EPOCH, EPOCHS_FIRST_ROW, data.held_out)
    sample = refs["sample"]
    if network.stops:
        refs = apart(refs)
    for name in _weights(layout.network.layers):
        refs[name] = _reached(layout.ledgers.epochs[name])
    found: dict[str, list[Formula]] = {}
    if network.stops:
        found[STOPPED] = [stopped_formula(layout, data.held_out)]
    last = data.last_row
    found["x"] = lookups(data, data.x_column, network.inputs, sample, last)
    found["y"] = lookups(data, data.y_column, network.outputs, sample, last)
    for name, texts in forward_columns(network, refs):
        found[name] = [same(text, step) if _EPOCH in text else same(text) for text in texts]
    return columns_of(ledger, signed(found))


def _weights(layers: tuple[Layer, ...]) -> tuple[str, ...]:
    return tuple(f"{base}{layer.index}" for layer in layers for base in ("W", "b"))


def _reached(block: Block) -> Cells:
    """The weights that an epoch reached, each a cell of its row of ``Epochs``."""
    columns = range(block.first + 1, block.first + block.size + 1)
    return Cells(tuple(f"{EPOCHS}!${letter(column)}${_EPOCH}" for column in columns))


def epochs_formulas(layout: Layout) -> tuple[Formula | None, ...]:
    """The formula of each column of ``Epochs``; None for the constant in front."""
    network, ledgers = layout.network, layout.ledgers
    ledger, rows = ledgers.epochs, layout.data.rows
    places = layout.on_sheets.places
    below = _Below(places, ledgers.train, ("{a}", "{z}"), TRAIN_FIRST_ROW, rows)
    own = cells_of(ledger)
    if network.stops:
        own = apart(own)
    found = _summaries(layout, below, own, "")
    if GRADIENT_NORM in ledger:
        found[GRADIENT_NORM] = [below.formula(_norm(below, layer)) for layer in network.layers]
    for layer in network.layers:
        trained = {base for base, _ in parameters_of(layer)}
        for base in ("W", "b"):
            name = f"{base}{layer.index}"
            found[name] = [
                below.formula(text) for text in _after_update(below, name, base in trained)
            ]
    if ledgers.validation is not None:
        held_out = layout.data.held_out
        places = {b.name: (VALIDATION, b.first + 1) for b in ledgers.validation.blocks}
        beside = _Below(places, ledgers.validation, ("{c}", "{d}"), VALIDATION_FIRST_ROW, held_out)
        found |= _summaries(layout, beside, own, HELD_OUT)
        found |= _judged(layout, own)
    return columns_of(ledger, signed(found))


class _Below:
    """An epoch's rows on other sheets, as ranges that move on with the epoch.

    ``places`` tells of each quantity its sheet and its first column (from 1).
    """

    def __init__(
        self,
        places: Mapping[str, tuple[str, int]],
        ledger: Ledger,
        keys: tuple[str, str],
        first_row: int,
        rows: int,
    ) -> None:
        self.places, self.ledger, self.keys = places, ledger, keys
        self.steps = (
            Step(keys[0], first_row, by=rows),
            Step(keys[1], first_row + rows - 1, by=rows),
        )

    def span(self, first: tuple[str, int], last: tuple[str, int]) -> str:
        """The epoch's rows from a column (quantity, number from 0) to another beside it."""
        (sheet, left), (_, right) = (self.places[name] for name, _ in (first, last))
        top, bottom = self.keys
        left, right = left + first[1], right + last[1]
        return f"{quoted(sheet)}!{letter(left)}{top}:{letter(right)}{bottom}"

    def block(self, name: str) -> str:
        """The epoch's rows of a quantity."""
        return self.span((name, 0), (name, self.ledger[name].size - 1))

    def columns(self, name: str) -> tuple[str, ...]:
        """The same, column by column."""
        return tuple(self.span((name, c), (name, c)) for c in range(self.ledger[name].size))

    def last(self, name: str, i: int) -> str:
        """The epoch's last cell of a column (from 0) of a quantity."""
        sheet, first = self.places[name]
        return f"{quoted(sheet)}!{letter(first + i)}{self.keys[1]}"

    def formula(self, text: str) -> Formula:
        """A formula over these rows."""
        return same(text, *self.steps)


def _summaries(
    layout: Layout, below: _Below, own: Mapping[str, Cells], prefix: str
) -> dict[str, list[Formula]]:
    network = layout.network
    measure, last = network.measure, len(network.layers)
    spans = Spans(
        below.columns("y"),
        below.columns(f"a{last}"),
        below.block("y"),
        below.block(f"a{last}"),
        network.layers[-1].activation.bounded,
    )
    found = {f"{prefix}{MEAN_LOSS}": [below.formula(summaries.mean_cell(below.block("loss")))]}
    summary = measure.summary
    name = f"{prefix}{summary.name}"
    columns = layout.ledgers.epochs[name].size
    found[name] = [below.formula(summary.cell(spans, k)) for k in range(columns)]
    if measure.adds_up:
        parts = own[name]
        text = f"({cells.total(parts)})/ROWS({spans.all_y})"
        found[f"{prefix}{measure.name}"] = [below.formula(text)]
    return found


def _norm(below: _Below, layer: Layer) -> str:
    names = [f"{GRADIENT}{base}{layer.index}" for base, _ in parameters_of(layer)]
    end = names[-1], below.ledger[names[-1]].size - 1
    return summaries.norm_cell(below.span((names[0], 0), end))


def _after_update(below: _Below, name: str, trained: bool) -> list[str]:
    texts = []
    for i in range(below.ledger[name].size):
        text = below.last(name, i)
        if trained:
            text += f"+{below.last(f'u{name}', i)}"
        texts.append(text)
    return texts


def _judged(layout: Layout, refs: Mapping[str, Cells]) -> dict[str, list[Formula]]:
    """What is said of an epoch from its validation loss, and from the epoch before."""
    every = judgements(stops=layout.network.stops)
    names = ("epoch", f"{HELD_OUT}{MEAN_LOSS}", *(j.name for j in every))
    own = {name: refs[name][0] for name in names}
    before = {f"{j.name} before": own[j.name].replace("{r}", "{p}") for j in every}
    return {j.name: [Formula(j.first(own), j.cell({**own, **before}))] for j in every}


def best_formulas(layout: Layout) -> tuple[Formula, ...]:
    """The row of the best epoch's values: its number first, then a look-up per column."""
    ledger, region = layout.ledgers.epochs, layout.epoch_rows
    first, last = region.row, region.last_row
    texts = [f"{letter(ledger['best_epoch'].first + 1)}{last}"]
    for column in range(2, ledger.width + 1):
        place = f"$A${EPOCHS_BEST_ROW}"
        texts.append(cells.look_up(letter(column), first, last, place))
    return tuple(same(text) for text in texts)
