"""The columns of a run: the one map of where each quantity stands.

A training run is one float64 matrix, a row per sample visit, a column per scalar.
Each quantity (``W1``, ``delta2``, ``loss``) is a block of neighbouring columns; the
engine writes through it, the exporter prints it, the verifier compares it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import STOPPED
from sheetnet.network import Layer, Network
from sheetnet.pipeline import BATCH_PLACE, parameters_of, stages_of


@dataclass(frozen=True)
class Block:
    """One quantity: ``shape`` () for a single column, (units,) or (units, inputs).

    ``first`` counts columns from 0. ``kind`` groups columns: place, flag, input, target,
    weight, bias, forward, drawn, loss, backward, gradient, state, update, and on
    ``Epochs`` summary and validation. ``base`` is the name without the layer (``W`` of
    ``W1``).
    """

    name: str
    base: str
    kind: str
    shape: tuple[int, ...]
    first: int
    layer: int | None = None

    @property
    def size(self) -> int:
        """How many columns."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    @property
    def indices(self) -> Iterator[tuple[int, ...]]:
        """The indices of its columns, counted from 1, in order."""
        if not self.shape:
            yield ()
        elif len(self.shape) == 1:
            yield from ((j,) for j in range(1, self.shape[0] + 1))
        else:
            units, inputs = self.shape
            yield from ((j, i) for j in range(1, units + 1) for i in range(1, inputs + 1))

    @property
    def labels(self) -> tuple[str, ...]:
        """The plain names of its columns: ``W1[2,1]``."""
        return tuple(
            self.name + (f"[{','.join(map(str, index))}]" if index else "")
            for index in self.indices
        )

    def view(self, matrix: Array) -> Array:
        """The block in a ledger matrix (rows, columns): a view (rows, *shape)."""
        return matrix[:, self.first : self.first + self.size].reshape(len(matrix), *self.shape)


PLACE = ("visit", "epoch", "update", "sample")


@dataclass(frozen=True)
class Ledger:
    """All blocks, in the order of the columns."""

    blocks: tuple[Block, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Block]:
        """Name -> block."""
        return {block.name: block for block in self.blocks}

    def __getitem__(self, name: str) -> Block:
        return self.by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    @property
    def width(self) -> int:
        """How many columns."""
        return self.blocks[-1].first + self.blocks[-1].size

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The plain names of all columns."""
        return tuple(label for block in self.blocks for label in block.labels)

    def views(self, matrix: Array) -> dict[str, Array]:
        """Every quantity as a view into the matrix (rows, columns)."""
        return {block.name: block.view(matrix) for block in self.blocks}


def place_names(network: Network) -> tuple[str, ...]:
    """The constant columns in front."""
    return (*PLACE, *BATCH_PLACE) if network.batches else PLACE


def output_of(layer: Layer) -> str:
    """What a layer hands on: its activations, or what dropout leaves of them."""
    return f"d{layer.index}" if layer.dropout else f"a{layer.index}"


def input_of(network: Network, layer: Layer) -> str:
    """The quantity that feeds a layer: ``x``, or the output of the layer before."""
    return "x" if layer.index == 1 else output_of(network.layers[layer.index - 2])


def needs_output_slope(network: Network) -> bool:
    """Whether ∂L/∂a of the last layer needs columns of its own.

    It does where units depend on each other and loss and activation do not simplify.
    """
    last = network.layers[-1].activation
    return last.coupled and last.name not in network.loss.deltas


@dataclass
class LedgerBuilder:
    """Puts block after block."""

    blocks: list[Block] = field(default_factory=list)
    width: int = 0

    def add(
        self, base: str, kind: str, shape: tuple[int, ...] = (), layer: int | None = None
    ) -> None:
        """Append a quantity on the right."""
        name = base if layer is None else f"{base}{layer}"
        block = Block(name, base, kind, shape, self.width, layer)
        self.blocks.append(block)
        self.width += block.size

    @property
    def ledger(self) -> Ledger:
        """What has been put."""
        return Ledger(tuple(self.blocks))


def add_forward(build: LedgerBuilder, layer: Layer) -> None:
    """A layer's weighted sums and what its activation makes of them, then dropout."""
    build.add("z", "forward", (layer.units,), layer.index)
    for part in layer.activation.parts:
        build.add(part.name, "forward", (layer.units,) if part.per_unit else (), layer.index)
    if layer.dropout:
        build.add("r", "drawn", (layer.units,), layer.index)
        build.add("k", "forward", (layer.units,), layer.index)
        build.add("d", "forward", (layer.units,), layer.index)


def ledger_of(network: Network) -> Ledger:
    """Lay out the columns of ``Train`` in the order in which data flows."""
    build = LedgerBuilder()

    def add_for_all(prefix: str, kind: str) -> None:
        for layer in network.layers:
            for base, shape in parameters_of(layer):
                build.add(f"{prefix}{base}", kind, shape, layer.index)

    for name in place_names(network):
        build.add(name, "place")
    if network.stops:
        build.add(STOPPED, "flag")
    build.add("x", "input", (network.inputs,))
    build.add("y", "target", (network.outputs,))
    for layer in network.layers:
        build.add("W", "weight", (layer.units, layer.inputs), layer.index)
        build.add("b", "bias", (layer.units,), layer.index)
        add_forward(build, layer)
    build.add("loss", "loss")
    if needs_output_slope(network):
        build.add("da", "backward", (network.outputs,), network.layers[-1].index)
    for layer in reversed(network.layers):
        build.add("delta", "backward", (layer.units,), layer.index)
        for base, shape in parameters_of(layer):
            build.add(f"d{base}", "gradient", shape, layer.index)
    for stage in stages_of(network):
        if stage.slot.single:
            build.add(stage.slot.name, "state")
        else:
            add_for_all(stage.slot.name, "state")
    add_for_all("u", "update")
    return build.ledger
