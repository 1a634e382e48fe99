"""A stretch of a training that starts from the true state at its first visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sheetnet.concepts.arithmetic import Array

COLUMNS = "columns"
"""The row of ``Config`` that tells whether all columns are there."""

ALL_COLUMNS, COMPACT = "all", "compact"

FROM_VISIT, VISITS, STOPPED_AFTER = "from_visit", "visits", "stopped_after"
"""The rows of ``Config`` that tell it."""

NEVER = "never"
"""What stands beside ``stopped_after`` where training does not end early."""


@dataclass(frozen=True)
class Window:
    """Some visits of a training, from ``first`` (from 1) on; weights come with the problem.

    Attributes
    ----------
    carried: what else the first row finds in the row before: ``mW1``, ``sb2``, ``count``.
    stopped_after: the epoch after which early stopping ended the training, or None. It is
        decided by validation, which a window does not show.

    """

    first: int
    visits: int
    carried: Mapping[str, Array]
    stopped_after: int | None = None

    @property
    def last(self) -> int:
        """The last visit."""
        return self.first + self.visits - 1
