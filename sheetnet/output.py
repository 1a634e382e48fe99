"""Writing a file all or nothing: under a temporary name, then moved into place in one step."""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from sheetnet.errors import OutputError


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
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path}: the folder {folder} is not writable")


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Write UTF-8 text to ``path``, all of it or nothing; raises :class:`OutputError`."""
    _write(path, text.encode("utf-8"), overwrite=overwrite)


def _write(path: Path, content: bytes, *, overwrite: bool) -> None:
    try:
        with in_place_of(path, overwrite=overwrite) as file:
            file.write(content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error})") from None


def write_texts(texts: Mapping[Path, str], *, overwrite: bool) -> None:
    """Write several UTF-8 texts, all of them or none; raises :class:`OutputError`."""
    write_files({path: text.encode("utf-8") for path, text in texts.items()}, overwrite=overwrite)


def write_files(files: Mapping[Path, bytes], *, overwrite: bool) -> None:
    """Write several files, all of them or none; raises :class:`OutputError`."""
    old = {path: path.read_bytes() for path in files if path.is_file()}
    written: list[Path] = []
    try:
        for path, content in files.items():
            _write(path, content, overwrite=overwrite)
            written.append(path)
    except BaseException:
        for path in written:
            if path not in old:
                path.unlink(missing_ok=True)
                continue
            with in_place_of(path, overwrite=True) as file:
                file.write(old[path])
        raise


@contextlib.contextmanager
def in_place_of(path: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` that takes its place when all went well."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(path))
        if overwrite:
            os.replace(name, path)
        else:
            _link(name, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _link(name: str, path: Path) -> None:
    """Give the file its name unless somebody else has taken it meanwhile."""
    try:
        os.link(name, path)
    except FileExistsError:
        raise OutputError(f"{path} exists: use --force to replace it") from None
    except OSError:  # a file system without links
        os.replace(name, path)


def _mode(path: Path) -> int:
    """The old file's permissions, or those of any new file."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


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
