"""A row's way from one state to the next as straight Python over floats, for small networks.

A small network spends its time in the calls of NumPy, not in its numbers; in plain floats
a row is some ten times as fast. The source is made from a graph of :mod:`tracing`: only
what the next state needs is in it, each value that is used more than once has a name.

Floats are added, multiplied and rooted as NumPy does it. Where Python would raise (a
division by 0, an overflow) the kernel does so, and at not a number it may choose
otherwise: its results are to be checked by the rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sheetnet.tracing import Node, UntraceableError

Leaf = tuple[str, int]
"""A quantity and one of its columns, from 0."""

DEEPEST = 40
"""Expressions nested deeper than this get a name, as Python's parser has its limits."""

_SIGNS = {
    **{"add": "+", "subtract": "-", "multiply": "*", "divide": "/"},
    **{"bitwise_and": "&", "bitwise_or": "|", "equal": "==", "not_equal": "!="},
    **{"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="},
}
_CHOICES = {"maximum": ">=", "minimum": "<="}
_FUNCTIONS = {"absolute": abs, "sqrt": math.sqrt, "isfinite": math.isfinite}


@dataclass(frozen=True)
class Kernel:
    """``run(state, rows, pack, into)`` goes through rows.

    ``state`` is a sequence of floats, ``rows`` yields tuples of ``inputs``; in each row
    ``pack(into, place, *told)`` is called with the place in bytes.
    """

    inputs: tuple[Leaf, ...]
    run: Callable[[Sequence[float], Iterable[tuple[float, ...]], Any, Any], None]
    source: str


class _Writer:
    """Turns nodes into text; equal operations on equal arguments are one."""

    def __init__(self, names: Mapping[Leaf, str]) -> None:
        self.names = names
        self.keys: dict[tuple[Any, ...], int] = {}
        self.numbers: dict[int, int] = {}
        self.operations: list[tuple[Any, tuple[Any, ...]]] = []
        self.uses: list[int] = []
        self.texts: list[tuple[str, int]] = []
        self.lines: list[str] = []
        self.globals: dict[str, Any] = {}

    def number(self, root: Any) -> Any:
        """The number of a node, after those of its arguments; constants as floats."""
        stack = [root]
        while stack:
            node = stack[-1]
            if not isinstance(node, Node) or id(node) in self.numbers:
                stack.pop()
                continue
            args = () if node.op == "leaf" else node.args
            missing = [a for a in args if isinstance(a, Node) and id(a) not in self.numbers]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            key = (node.op, *map(self.known, node.args if node.op != "leaf" else ()))
            if node.op == "leaf":
                key = ("leaf", node.args[0])
            if key not in self.keys:
                self.keys[key] = len(self.operations)
                self.operations.append((key[0], key[1:]))
                self.uses.append(0)
                for argument in key[1:]:
                    if isinstance(argument, _Number):
                        self.uses[argument] += 2 if node.op in _CHOICES else 1
            self.numbers[id(node)] = self.keys[key]
        return self.known(root)

    def known(self, argument: Any) -> Any:
        """The number of a node that has one, or a constant."""
        if isinstance(argument, Node):
            return _Number(self.numbers[id(argument)])
        return str(argument) if isinstance(argument, bool) else repr(float(argument))

    def bind(self, value: Any) -> str:
        """A name for a function or a number that is no literal."""
        for name, held in self.globals.items():
            if held is value:
                return name
        name = f"f{len(self.globals)}"
        self.globals[name] = value
        return name

    def argument(self, argument: Any) -> tuple[str, int]:
        """Text and depth."""
        if isinstance(argument, _Number):
            return self.texts[argument]
        if argument in ("inf", "-inf", "nan"):
            return self.bind(float(argument)), 0
        return (f"({argument})" if argument.startswith("-") else argument), 0

    def write(self) -> None:
        """Write what has a number, in order."""
        for number, (op, args) in enumerate(self.operations):
            if op == "leaf":
                self.texts.append((self.names[args[0]], 0))
                continue
            parts = [self.argument(argument) for argument in args]
            text, depth = self.expression(op, [text for text, _ in parts]), 1
            depth += max(depth for _, depth in parts)
            if self.uses[number] > 1 or depth > DEEPEST:
                self.lines.append(f"t{number} = {text}")
                text, depth = f"t{number}", 0
            self.texts.append((text, depth))

    def expression(self, op: Any, texts: list[str]) -> str:
        """One operation in parentheses."""
        if op in _SIGNS:
            return f"({texts[0]} {_SIGNS[op]} {texts[1]})"
        if op in _CHOICES:
            a, b = texts
            return f"({a} if {a} {_CHOICES[op]} {b} else {b})"
        if op == "where":
            return f"({texts[1]} if {texts[0]} else {texts[2]})"
        if op == "negative":
            return f"(-{texts[0]})"
        function = _FUNCTIONS.get(op) if isinstance(op, str) else op
        if function is None:
            raise UntraceableError(op)
        return f"{self.bind(function)}({texts[0]})"


class _Number(int):
    """The number of an operation, not to be taken for a constant."""

    __slots__ = ()


def kernel_of(after: Mapping[Leaf, Any], told: Sequence[Any]) -> Kernel:
    """The kernel that takes each leaf of ``after``, the state, to its node.

    ``told`` are the nodes whose values it hands over in each row. Leaves that are no state
    are inputs of the row. Raises :class:`UntraceableError`.
    """
    state = {leaf: f"s{i}" for i, leaf in enumerate(after)}
    writer = _Writer(state)
    results = [writer.number(node) for node in after.values()]
    shown = [writer.number(node) for node in told]
    for number in (*results, *shown):
        if isinstance(number, _Number):
            writer.uses[number] += 1
    used = [args[0] for op, args in writer.operations if op == "leaf"]
    inputs = tuple(leaf for leaf in used if leaf not in state)
    names = {leaf: f"x{i}" for i, leaf in enumerate(inputs)}
    writer.names = {**state, **names}
    writer.write()
    ends = [writer.argument(result)[0] for result in results]
    body = [
        *writer.lines,
        f"pack(into, place, {', '.join(writer.argument(number)[0] for number in shown)})",
        f"place += {8 * len(told)}",
        *_assignments(list(state.values()), ends),
    ]
    source = "\n".join(
        [
            f"def run(state, rows, pack, into{''.join(f', {n}={n}' for n in writer.globals)}):",
            f"    {', '.join(state.values())}, = state",
            "    place = 0",
            f"    for {', '.join(names.values())}, in rows:" if names else "    for _ in rows:",
            *(f"        {line}" for line in body),
        ]
    )
    space = dict(writer.globals)
    exec(compile(source, "<kernel>", "exec"), space)
    return Kernel(inputs, space["run"], source)


def _assignments(names: list[str], texts: list[str]) -> list[str]:
    """Lines that give the names their new values; each text means the old ones."""
    lines: list[str] = []
    late: list[str] = []
    given: set[str] = set()
    for name, text in zip(names, texts, strict=True):
        if text == name:
            continue
        if given & set(re.findall(r"\bs\d+\b", text)):
            lines.insert(0, f"new_{name} = {text}")
            late.append(f"{name} = new_{name}")
        else:
            lines.append(f"{name} = {text}")
        given.add(name)
    return lines + late
