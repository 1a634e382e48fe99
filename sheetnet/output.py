"""Writing files all or nothing: made where nobody sees them, then moved into place in one step."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from sheetnet.errors import OutputError
from sheetnet.owned import undisturbed
from sheetnet.staging import Staged


def check_target(path: Path, *, overwrite: bool, read: Iterable[Path] = ()) -> None:
    """Raise :class:`OutputError` where nothing can be written, before any work is done.

    ``read`` are the files that the run itself reads: none of them may be replaced.
    """
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}")
    if path.is_dir():
        raise OutputError(f"{path} is a folder")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is a device or a pipe, not a file")
    for file in read:
        if path.exists() and file.exists() and path.samefile(file):
            raise OutputError(f"{path} is read by the run: choose another name")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists: use --force to replace it")
    if path.exists() and not (os.access(path, os.W_OK) and path.stat().st_mode & 0o222):
        raise OutputError(f"{path} is read-only: choose another name")
    if path.exists() and (opened := _open_in(path)) is not None:
        raise OutputError(
            f"{path} is open in {opened[0]}: close it there (or delete {opened[1].name} beside it, "
            "where it is not)"
        )
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path}: the folder {folder} is not writable")


def _open_in(path: Path) -> tuple[str, Path] | None:
    """The application that has a file open, and its lock file beside it; None: nobody has."""
    for application, name in (("LibreOffice", f".~lock.{path.name}#"), ("Excel", f"~${path.name}")):
        lock = path.with_name(name)
        if lock.exists():
            return application, lock
    return None


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Write UTF-8 text to ``path``, all of it or nothing; raises :class:`OutputError`."""
    write_files({path: text.encode("utf-8")}, overwrite=overwrite)


def write_texts(texts: Mapping[Path, str], *, overwrite: bool) -> None:
    """Write several UTF-8 texts, all of them or none; raises :class:`OutputError`."""
    write_files({path: text.encode("utf-8") for path, text in texts.items()}, overwrite=overwrite)


def write_files(files: Mapping[Path, bytes], *, overwrite: bool) -> None:
    """Write several files, all of them or none; raises :class:`OutputError`.

    All are on the disk before the first takes its place, so that no full disk and hardly a
    kill comes between them.
    """
    old = {path: path.read_bytes() for path in files if path.is_file()}
    with contextlib.ExitStack() as stack:
        staged = {}
        for path, content in files.items():
            with said(path):
                staged[path] = stack.enter_context(Staged(path))
                staged[path].file.write(content)
                staged[path].finish()
        with undisturbed():
            _move_all(staged, old, overwrite=overwrite)


def _move_all(staged: Mapping[Path, Staged], old: Mapping[Path, bytes], *, overwrite: bool) -> None:
    """Let all files take their places; where one cannot, those before it get theirs back."""
    moved: list[Path] = []
    try:
        for path, each in staged.items():
            with said(path):
                each.move(overwrite=overwrite)
            moved.append(path)
    except BaseException:
        for path in moved:
            if path not in old:
                path.unlink(missing_ok=True)
                continue
            with in_place_of(path, overwrite=True) as file:
                file.write(old[path])
        raise


@contextlib.contextmanager
def in_place_of(path: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """Open a temporary file that takes the place of ``path`` when all went well."""
    with Staged(path) as staged:
        yield staged.file
        staged.finish()
        staged.move(overwrite=overwrite)


@contextlib.contextmanager
def said(path: Path) -> Iterator[None]:
    """Turn what the system refuses into an :class:`OutputError` that names the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno == errno.ENOENT and not path.parent.is_dir():
            reason = f"the folder {path.parent} has vanished"
        raise OutputError(f"{path} cannot be written ({reason})") from None


def finite(value: Any) -> Any:
    """Plain values for JSON; None for what it has no number for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return value


_BLANK = "\\s\x00-\x1f\u00ad\u180e\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff"
_MARKS = "\"'\u2018\u2019\u201c\u201d"
_LIVE = re.compile(f"(^|[;\t\r\n])(?=[{_BLANK}{_MARKS}]*[=+\\-@＝＋－＠])|^(?=[\t\r\n])")
"""Where a spreadsheet may see the beginning of a formula: at the beginning, whatever nobody
sees stands before its first sign, and behind what separates cells elsewhere."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def tame(text: str) -> str:
    """A text as a cell of a CSV file that a spreadsheet shows, and does not calculate.

    An apostrophe comes before what would be a formula: ``'=1+1``. Numbers stay as they are.
    """
    plain = text.encode("utf-8", "replace").decode()
    return plain if _NUMBER.fullmatch(plain) else _LIVE.sub(r"\1'", plain)
