"""A file on its way to its place: whole or not there, whenever the process ends."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sheetnet.errors import OutputError
from sheetnet.owned import claim, remove_left_files, undisturbed


class Staged:
    """A new file for ``path``, of which nobody sees anything before :meth:`move`.

    It has no name until then where the system can do that (Linux: a killed process leaves
    nothing), else a hidden one beside ``path``. Written to through ``file``, by one thread.
    """

    def __init__(self, path: Path) -> None:
        self.asked_for = path
        # A link stays one: what it leads to is replaced.
        self.path = Path(os.path.realpath(path)) if path.is_symlink() else path
        self._prefix = f".{self.path.name.encode(errors='replace')[:100].decode(errors='ignore')}."
        self._name: str | None = None
        self.file: IO[bytes]

    def __enter__(self) -> Self:
        try:
            with undisturbed():
                self._open()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with undisturbed():
            self._end()

    def _open(self) -> None:
        remove_left_files(self.path.parent, self._prefix)
        handle = _unnamed(self.path.parent)
        if handle is None:
            handle, self._name = _named(self.path.parent, self._prefix)
        else:
            claim(handle)
        self.file = os.fdopen(handle, "wb")

    def _end(self) -> None:
        if os.name == "nt":  # where nothing that is open can be removed
            self._close()
        if self._name is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._name)
        self._close()

    def _close(self) -> None:
        # What is still to be written of a file that failed fails again; or it never opened.
        with contextlib.suppress(OSError, AttributeError):
            self.file.close()

    def finish(self) -> None:
        """Bring all of it to the disk: after this moving needs no room."""
        self.file.flush()
        os.fsync(self.file.fileno())
        mode = _mode(self.path)
        if self._name is None:
            os.fchmod(self.file.fileno(), mode)
        else:
            os.chmod(self._name, mode)

    def move(self, *, overwrite: bool) -> None:
        """Let the finished file take its place, in one step."""
        with undisturbed():
            self._move(overwrite)

    def _move(self, overwrite: bool) -> None:
        if os.name == "nt":
            self._close()
        if overwrite:
            os.replace(self._named(), self.path)
            return
        try:
            if self._name is None:
                _link(self.file.fileno(), self.path)
            else:
                os.link(self._name, self.path)
        except FileExistsError:
            raise OutputError(f"{self.asked_for} exists: use --force to replace it") from None
        except OSError:  # a file system without links
            os.replace(self._named(), self.path)

    def _named(self) -> str:
        if self._name is None:
            # Before it is there: whatever happens next, it will be removed.
            self._name = _free(self.path.parent, self._prefix)
            _link(self.file.fileno(), self._name)
        return self._name


def _unnamed(folder: Path) -> int | None:
    """Open a file without a name, where system and file system know such."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return None


def _link(handle: int, name: str | Path) -> None:
    # With a folder's number (which an absolute path ignores) os.link follows the link of /proc.
    os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=handle, follow_symlinks=True)


def _named(folder: Path, prefix: str) -> tuple[int, str]:
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=folder)
        claim(handle, wait=True)
        if os.fstat(handle).st_nlink or os.name == "nt":
            return handle, name
        os.close(handle)  # taken for left before it was marked


def _free(folder: Path, prefix: str) -> str:
    return tempfile.mktemp(prefix=prefix, suffix=".part", dir=folder)


def _mode(path: Path) -> int:
    """The old file's permissions, or those of any new file."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
