"""A spec in the making: what it says, and what is said of it in comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sheetnet.data import Table, load_rows, split_by_share
from sheetnet.problem import Problem, assemble
from sheetnet.spec import Spec, parse_spec

Document = dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """A spec with its comments.

    Attributes
    ----------
    document: the keys that are given, as nested dictionaries, as TOML yields them.
    heading: what is said of the whole.
    notes: what is said above a key (``data.inputs``, ``layers.units`` for the first
        layer) or a table (``layers``, ``last layer``, ``training``).

    """

    document: Document
    heading: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a spec will stand: its name, and the folder from which its source is seen."""

    name: str
    folder: Path

    def spec(self, document: Document) -> Spec:
        """The spec of a document; raises SpecError as its file would."""
        return parse_spec(document, name=self.name, folder=self.folder)

    def rows(self, document: Document) -> Table:
        """All rows that a document uses, none held out."""
        return load_rows(self.spec(document))

    def problem(self, document: Document, table: Table | None = None) -> Problem:
        """A document with its data; ``table``: its rows, where they are known."""
        spec = self.spec(document)
        table = load_rows(spec) if table is None else table
        return assemble(spec, split_by_share(table, spec.data.validation, spec.training.seed))


def with_training(document: Document, **changes: Any) -> Document:
    """The document with other values in ``[training]``."""
    return {**document, "training": {**document["training"], **changes}}


def with_data(document: Document, **changes: Any) -> Document:
    """The document with other values in ``[data]``; None takes a key out."""
    data = {**document["data"], **changes}
    return {**document, "data": {name: value for name, value in data.items() if value is not None}}
