"""A progress bar: on a terminal only, and only for what takes some time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from sheetnet.progress import Progress, untold

PATIENCE = 2.0
"""Seconds after which a bar appears."""


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Show on stderr how far the work inside is, which tells it to what this gives."""
    if not sys.stderr.isatty():
        yield untold
        return
    bar = _Bar(label)
    try:
        yield bar.tell
    finally:
        bar.end()


class _Bar:
    """Appears when its time has come, even while nothing is told."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.done, self.total = 0, 1
        self.bar: Any = None
        self.lock = threading.Lock()
        self.timer = threading.Timer(PATIENCE, self._appear)
        self.timer.daemon = True
        self.timer.start()

    def tell(self, done: int, total: int) -> None:
        with self.lock:
            self.done, self.total = done, max(total, 1)
            self._draw()

    def end(self) -> None:
        self.timer.cancel()
        with self.lock:
            if self.bar is not None:
                self.bar.render_finish()
                self.bar = None

    def _appear(self) -> None:
        with self.lock:
            if self.timer.finished.is_set():  # ended meanwhile
                return
            self.bar = click.progressbar(length=self.total, label=self.label, file=sys.stderr)
            self.bar.render_progress()
            self._draw()

    def _draw(self) -> None:
        if self.bar is not None:
            self.bar.length = self.total
            self.bar.update(self.done - self.bar.pos)
