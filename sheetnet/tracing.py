"""What the rules of a row do, number by number: they are applied to symbols.

The rules are NumPy forms for arrays. Given arrays of symbols instead of numbers, they
return what would be computed as a graph of scalar operations. So there is one statement
of the maths, whatever the graph is then used for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Objects = NDArray[np.object_]


class UntraceableError(Exception):
    """A rule does something that symbols do not know; it can only be given numbers."""


class Node:
    """One operation on scalars: ``op`` is a name or, with one argument, a function.

    A leaf has the op ``leaf`` and its name as the only argument. Arguments are nodes or
    constants. Nodes are compared by identity.
    """

    __slots__ = ("args", "op")

    def __init__(self, op: str | Callable[[float], float], args: tuple[Any, ...]) -> None:
        self.op, self.args = op, args

    def __bool__(self) -> bool:
        raise UntraceableError("a choice in Python depends on a number of the row")


def _make(op: str, *args: Any) -> Any:
    """The node of an operation, or one of its arguments where it changes nothing."""
    if op in ("multiply", "divide") and args[1] == 1 and not isinstance(args[1], Node):
        return args[0]
    if op == "multiply" and args[0] == 1 and not isinstance(args[0], Node):
        return args[1]
    if op == "bitwise_and":
        for one, other in (args, args[::-1]):
            if one is True:
                return other
    if op == "where" and not isinstance(args[0], Node):
        return args[1] if args[0] else args[2]
    return Node(op, args)


def _maker(op: str, arguments: int) -> Any:
    return np.frompyfunc(partial(_make, op), arguments, 1)


UNARY = ("negative", "absolute", "sqrt", "isfinite")
BINARY = (
    *("add", "subtract", "multiply", "divide", "maximum", "minimum", "bitwise_and"),
    *("bitwise_or", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
)
_MAKERS: Mapping[Any, Any] = {
    **{getattr(np, name): _maker(name, 1) for name in UNARY},
    **{getattr(np, name): _maker(name, 2) for name in BINARY},
    np.positive: np.frompyfunc(lambda x: x, 1, 1),
}
_WHERE = _maker("where", 3)

_IN_ORDER: Mapping[Any, tuple[Any, ...]] = {
    "accumulate": (np.add, np.maximum, np.minimum),
    # NumPy's own sum is pairwise.
    "reduce": (np.maximum, np.minimum),
}
_REDUCTIONS: Mapping[Any, Any] = {
    np.max: np.maximum,
    np.amax: np.maximum,
    np.min: np.minimum,
    np.amin: np.minimum,
}


class Symbols(np.ndarray[Any, Any]):
    """An array of nodes and constants (dtype object), any shape."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Operate element by element; raises :class:`UntraceableError`."""
        maker = _MAKERS.get(ufunc)
        plain = [np.asarray(each, dtype=object) for each in inputs]
        (into,) = options.pop("out", (None,))
        if maker is None or not set(options) <= {"axis"}:
            raise UntraceableError(f"{ufunc.__name__} with {sorted(options)}")
        if into is not None:
            into[...] = self.__array_ufunc__(ufunc, method, *inputs, **options)
            return into
        if method == "__call__" and not options:
            return symbols(maker(*plain))
        if ufunc in _IN_ORDER.get(method, ()):
            axis = options.get("axis", 0)
            return symbols(getattr(maker, method)(*plain, axis=axis, dtype=object))
        raise UntraceableError(f"{ufunc.__name__}.{method}")

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Choose and reduce by nodes; what only moves elements is NumPy's."""
        if func is np.where and len(args) == 3:
            return symbols(_WHERE(*(np.asarray(each, dtype=object) for each in args)))
        if func in _REDUCTIONS and len(args) == 1 and set(kwargs) == {"axis"}:
            return _REDUCTIONS[func].reduce(args[0], **kwargs)
        return symbols(super().__array_function__(func, types, args, kwargs))

    def call(self, function: Callable[[float], float]) -> Symbols:
        """A function of one float, applied to every element."""
        return symbols(np.frompyfunc(lambda x: Node(function, (x,)), 1, 1)(np.asarray(self)))


def symbols(elements: Any) -> Symbols:
    """Nodes and constants as an array; a single one has shape ()."""
    return np.asarray(elements, dtype=object).view(Symbols)


def leaves(name: str, shape: tuple[int, ...]) -> Symbols:
    """Symbols of a quantity: leaves named ``(name, column)``, columns from 0."""
    found = np.empty(shape, dtype=object)
    for column, index in enumerate(np.ndindex(shape)):
        found[index] = Node("leaf", ((name, column),))
    return found.view(Symbols)
