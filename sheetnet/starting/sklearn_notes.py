"""What of scikit-learn's parameters has no counterpart in a spec, said in comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNTAKEN: Mapping[str, tuple[tuple[object, ...], str]] = {
    "alpha": ((0.0,), "the penalty on large weights"),
    "C": ((), "the inverse of the penalty on large weights"),
    "class_weight": ((None,), "weights of classes"),
    "learning_rate": (("constant",), "the schedule of the learning rate"),
    "early_stopping": ((False,), "when it ends"),
    "average": ((False,), "averaged weights"),
    "positive": ((False,), "weights above 0"),
    "max_iter": ((None,), "its epochs"),
    "tol": ((), "the improvement below which it ends"),
}
"""Parameters that shaped the training: values under which they do nothing, and a meaning."""


def said_of(parameters: Mapping[str, Any], *, taken: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Name the parameters that are not taken over."""
    found = []
    for name, (neutral, meaning) in UNTAKEN.items():
        if name not in parameters or name in taken:
            continue
        value = parameters[name]
        if any(value is each or (isinstance(value, (int, float, str)) and value == each)
               for each in neutral):  # fmt: skip
            continue
        shown = f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
        found.append(f"{name} = {shown[:40]} ({meaning})")
    return (f"Not taken over, for there is no counterpart: {', '.join(found)}.",) if found else ()
