"""Where everything stands on ``Step``: one visit drawn as matrices, a row per unit.

The inputs of a layer stand above the weights that they meet; what follows from them stands
to the right: weighted sums and activations, what comes back, gradients, what the optimizer
keeps, updates, new weights. Groups of columns stand below one another in all layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sheetnet.forward_formulas import FED
from sheetnet.ledger import Ledger, needs_output_slope
from sheetnet.network import Layer, Network
from sheetnet.pipeline import GRADIENT, folded_of, parameters_of, single_names, stages_of
from sheetnet.views.step_parts import Block, Box, Group

PANEL_HEAD_ROW, PANEL_ROW, CHECK_ROW = 4, 5, 6
"""The step, where it is, its single numbers, the chosen weight; below it the check."""

FIRST_BLOCK_ROW = 8
LABEL_COLUMN, WEIGHT_COLUMN = 1, 2

CHOSEN = ("weight_layer", "weight_unit", "weight_input", "nudge")
"""The names of the chosen weight's cells, and of h."""

UP, DOWN = "+", "−"
"""Marks of the two passes with a weight nudged."""

CHECKS = ("up", "down", "quotient", "analytic", "difference", "verdict")
"""The rows of the gradient check."""

VALUE_COLUMN = 2
"""Of the chosen weight's table and of the gradient check."""

BEFORE = " before"
NEW = "new"


def before_of(name: str) -> str:
    """The name of what a quantity was one row before."""
    return f"{name}{BEFORE}"


@dataclass(frozen=True)
class StepLayout:
    """The whole sheet, from the network and the ledger.

    ``compares``: it has the list of all numbers beside the ledger's, and says whether they agree.
    """

    network: Network
    ledger: Ledger
    compares: bool = True

    @property
    def widest(self) -> int:
        """Inputs of the widest layer."""
        return max(layer.inputs for layer in self.network.layers)

    @property
    def forward_column(self) -> int:
        """The first column right of the weights and biases."""
        return WEIGHT_COLUMN + self.widest + 2

    @property
    def _forward_width(self) -> int:
        return max(len(list(self._forward_names(layer))) for layer in self.network.layers)

    @property
    def backward_column(self) -> int:
        """The first column of back propagation."""
        return self.forward_column + self._forward_width + 1

    def _forward_names(self, layer: Layer) -> Iterator[tuple[str, str, bool]]:
        """Name, kind and whether there is one for each unit, left to right."""
        yield f"z{layer.index}", "forward", True
        for part in layer.activation.parts:
            yield f"{part.name}{layer.index}", "forward", part.per_unit
        if layer.dropout:
            yield f"r{layer.index}", "drawn", True
            yield f"k{layer.index}", "forward", True
            yield f"d{layer.index}", "forward", True
        if layer.index == len(self.network.layers):
            yield "y", "target", True

    def factors(self, layer: Layer) -> tuple[str, ...]:
        """What δ is the product of (beside the mask), where it is one: names of columns."""
        l = layer.index
        if l < len(self.network.layers):
            return f"back{l}", f"slope{l}"
        if needs_output_slope(self.network):
            return ()
        closed = layer.activation.name in self.network.loss.deltas
        return () if closed else (f"back{l}", f"slope{l}")

    @cached_property
    def parameter_groups(self) -> tuple[tuple[str, str, str], ...]:
        """What there is for each parameter: its name's start, its end, its kind."""
        found = [(GRADIENT, "", "gradient")]
        for stage in stages_of(self.network):
            if stage.slot.single:
                continue
            if stage.slot.carried:
                found.append((stage.slot.name, BEFORE, "state"))
            found.append((stage.slot.name, "", "state"))
        return (*found, ("u", "", "update"), (NEW, "", "weight"))

    def group_column(self, n: int) -> int:
        """The first column of one of :attr:`parameter_groups`."""
        return self.backward_column + 4 + n * (self.widest + 2)

    @property
    def gaps(self) -> tuple[int, ...]:
        """The narrow columns between groups."""
        after = [self.group_column(n) - 1 for n in range(len(self.parameter_groups))]
        return (self.forward_column - 1, self.backward_column - 1, *after)

    @cached_property
    def wide(self) -> tuple[int, ...]:
        """The first columns, without the narrow ones: for lists below the matrices."""
        return tuple(c for c in range(1, 12) if c not in self.gaps)[:6]

    @cached_property
    def panel(self) -> dict[str, Box]:
        """The step, its single quantities and the choice of a weight, in one row."""
        places = [b for b in self.ledger.blocks if b.kind in ("place", "flag")]
        names = ["step", *(b.name for b in places if b.name != "visit")]
        kinds = dict.fromkeys(names, "place")
        names.append("loss")
        for name in single_names(self.network):
            if name not in kinds:
                names += [n for n in (before_of(name), name) if n == name or self._carried(name)]
        names += CHOSEN
        usable = (c for c in range(1, 10**6) if c not in self.gaps)
        return {
            name: Box(name, kinds.get(name, "loss" if name == "loss" else "state"), PANEL_ROW, c)
            for name, c in zip(names, usable, strict=False)
        }

    def _carried(self, name: str) -> bool:
        return any(s.slot.name == name and s.slot.carried for s in stages_of(self.network))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The layers of the step."""
        found, row = [], FIRST_BLOCK_ROW
        for layer in self.network.layers:
            block = self._block(layer, row)
            found.append(block)
            row = block.last_row + 2
        return tuple(found)

    def _weights(self, layer: Layer, top: int, mark: str) -> Iterator[Box]:
        l, units, inputs = layer.index, layer.units, layer.inputs
        yield Box(
            f"{FED}{l}{mark}", "input" if l == 1 else "forward", top, WEIGHT_COLUMN, 1, inputs
        )
        yield Box(f"W{l}{mark}", "weight", top + 1, WEIGHT_COLUMN, units, inputs)
        yield Box(f"b{l}{mark}", "bias", top + 1, WEIGHT_COLUMN + inputs, units)

    def _forward(self, layer: Layer, top: int, mark: str) -> Iterator[Box]:
        for n, (name, kind, each) in enumerate(self._forward_names(layer)):
            rows = layer.units if each else 1
            yield Box(f"{name}{mark}", kind, top + 1, self.forward_column + n, rows)

    def _block(self, layer: Layer, row: int) -> Block:
        l, units, inputs, top = layer.index, layer.units, layer.inputs, row + 3
        boxes = [*self._weights(layer, top, ""), *self._forward(layer, top, "")]
        names = list(self._forward_names(layer))
        back = (*self.factors(layer), f"delta{l}")
        if needs_output_slope(self.network) and l == len(self.network.layers):
            back = (f"da{l}", f"delta{l}")
        for n, name in enumerate(back):
            boxes.append(Box(name, "backward", top + 1, self.backward_column + n, units))
        groups = [
            Group("inputs above, weights", "weight", WEIGHT_COLUMN, inputs + 1),
            Group("forward →", "forward", self.forward_column, len(names)),
            Group("← backward", "backward", self.backward_column, len(back)),
        ]
        trained = {base for base, _ in parameters_of(layer)}
        for n, (start, end, kind) in enumerate(self.parameter_groups):
            column = self.group_column(n)
            groups.append(Group(f"{start}{end}", kind, column, inputs + 1))
            boxes.append(Box(f"{start}W{l}{end}", kind, top + 1, column, units, inputs))
            if "b" in trained or start == NEW:
                boxes.append(Box(f"{start}b{l}{end}", kind, top + 1, column + inputs, units))
        return Block(layer, row, "", tuple(groups), tuple(boxes))

    @property
    def factor_row(self) -> int:
        """The title of the chosen weight's own table."""
        return self.blocks[-1].last_row + 2

    @cached_property
    def factor_names(self) -> tuple[str, ...]:
        """Its rows, from the weight in use to the new one."""
        stages = [f"{start}{end}" for start, end, kind in self.parameter_groups if kind == "state"]
        mask = ("k",) if any(layer.dropout for layer in self.network.layers) else ()
        return ("W", FED, "back", *mask, "slope", "delta", GRADIENT, *stages, "u", NEW)

    @cached_property
    def unseen(self) -> frozenset[str]:
        """Those that have no column on ``Train``."""
        folded = folded_of(self.network)
        return frozenset(("back", "slope", *(n for n in self.factor_names if f"{n}W1" in folded)))

    def factor_place(self, name: str) -> int:
        """The row of one of them."""
        return self.factor_row + 4 + self.factor_names.index(name)

    def factor_cell(self, name: str) -> str:
        """Its value."""
        return f"$B${self.factor_place(name)}"

    @property
    def chosen_unit(self) -> str:
        """The cell of the chosen unit: no more than the layer has."""
        return f"$B${self.factor_row + 1}"

    @property
    def chosen_input(self) -> str:
        """The cell of the chosen input: no more than the layer has, 0 for the bias."""
        return f"$B${self.factor_row + 2}"

    @property
    def check_row(self) -> int:
        """The title of the gradient check."""
        return self.factor_row + 5 + len(self.factor_names)

    def check_place(self, name: str) -> int:
        """The row of one of :data:`CHECKS`."""
        return self.check_row + 1 + CHECKS.index(name)

    @cached_property
    def nudged(self) -> tuple[Block, ...]:
        """The two forward passes with the chosen weight nudged up and down."""
        found, row = [], self.check_row + len(CHECKS) + 2
        for mark in (UP, DOWN):
            for layer in self.network.layers:
                top, l = row + 3, layer.index
                fixed = {f"r{l}{mark}", f"k{l}{mark}", f"y{mark}"}  # as in the step
                boxes = [
                    *self._weights(layer, top, mark),
                    *(b for b in self._forward(layer, top, mark) if b.name not in fixed),
                ]
                groups = (
                    Group(f"one weight {mark} h", "weight", WEIGHT_COLUMN, layer.inputs + 1),
                    Group("forward →", "forward", self.forward_column, len(boxes) - 3),
                )
                block = Block(layer, row, mark, groups, tuple(boxes))
                found.append(block)
                row = block.last_row + 2
        return tuple(found)

    @property
    def list_row(self) -> int:
        """The title of the list of all numbers."""
        return self.nudged[-1].last_row + 2

    @cached_property
    def listed(self) -> tuple[tuple[str, int, str], ...]:
        """Every column of ``Train`` but the place: (quantity, number from 0, plain name).

        None where nothing is compared.
        """
        found: list[tuple[str, int, str]] = []
        folded = folded_of(self.network)
        for block in self.ledger.blocks if self.compares else ():
            if block.kind not in ("place", "flag") and block.name not in folded:
                found += [(block.name, i, label) for i, label in enumerate(block.labels)]
        return tuple(found)

    @cached_property
    def boxes(self) -> dict[str, Box]:
        """All quantities by name."""
        found = dict(self.panel)
        for block in (*self.blocks, *self.nudged):
            found |= {box.name: box for box in block.boxes}
        found["x"] = found[f"{FED}1"]
        return found
