"""What goes with a process, however that ends: temporary files and folders, helping processes.

Files and folders bear a lock of the system (flock), which ends with its process. So what a
killed run left is told from what a running one needs, and the next run removes it. Where
there are no such locks (Windows) nothing is taken for left.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_RANDOM = r"[a-z0-9_]{8}"
"""What ``tempfile`` puts into a name."""

_FOLDER = "sheetnet-"
_MARK = ".owner"

if sys.platform == "win32":

    def claim(handle: int, *, wait: bool = False) -> bool:  # noqa: ARG001
        """Nothing can be marked there."""
        return False

else:
    import fcntl

    def claim(handle: int, *, wait: bool = False) -> bool:
        """Mark an open file; False where another process has, or where that cannot be."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            return False
        return True


def remove_left_files(folder: Path, prefix: str) -> None:
    """Remove what killed runs left of one target: hidden files beside it."""
    left = re.compile(rf"{re.escape(prefix)}{_RANDOM}\.part")
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if left.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError), _claimed(entry.path):
                    os.unlink(entry.path)


@contextlib.contextmanager
def _claimed(name: str) -> Iterator[None]:
    """Hold a file whose owner is gone; raises OSError where it is not."""
    handle = os.open(name, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if not claim(handle):
            raise BlockingIOError
        yield
    finally:
        os.close(handle)


@functools.cache
def end_with(parent: int) -> None:
    """Let this process end soon after its parent did: nobody is left who asks it for anything."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let signals that this process handles (Ctrl-C is one) wait until a short work is done."""
    handlers: dict[int, Any] = {}
    waiting: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and callable(handler := signal.getsignal(number)):
                handlers[number] = handler
                signal.signal(number, lambda number, _: waiting.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in waiting[:1]:
            handlers[number](number, None)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private temporary folder, removed at the end, or by the next run after a kill."""
    folder, handle = None, -1
    try:
        with undisturbed():
            _remove_left_folders(Path(tempfile.gettempdir()))
            folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
            handle = os.open(folder / _MARK, os.O_RDWR | os.O_CREAT, 0o600)
            claim(handle)
        yield folder
    finally:
        with undisturbed():
            if handle != -1 and os.name == "nt":  # where nothing that is open can be removed
                os.close(handle)
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            if handle != -1 and os.name != "nt":
                os.close(handle)


def _remove_left_folders(parent: Path) -> None:
    left = re.compile(rf"{re.escape(_FOLDER)}{_RANDOM}")
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if left.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                # Of others (not readable) and of this moment (not marked yet) nothing is touched.
                with contextlib.suppress(OSError), _claimed(f"{entry.path}/{_MARK}"):
                    shutil.rmtree(entry.path, ignore_errors=True)
