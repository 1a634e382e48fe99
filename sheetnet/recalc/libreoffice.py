"""LibreOffice, headless: every formula recalculated on load, in a private profile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sheetnet.errors import EngineError
from sheetnet.owned import scratch_folder
from sheetnet.reader.cells import Values
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package, open_package

TIMEOUT = 1800.0
"""Seconds that a conversion may take."""

_SETTINGS = (
    # Without this LibreOffice keeps whatever values the file holds: 0 is "always".
    ("Office.Calc/Formula/Load", "OOXMLRecalcMode", "0"),
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Calc/Content/Update", "Link", "2"),
    ("Office.Common/Misc", "FirstRun", "false"),
)


def find_soffice() -> str | None:
    """The program on the path, or None."""
    return shutil.which("soffice") or shutil.which("libreoffice")


@contextmanager
def calculated(package: Package) -> Iterator[Callable[[str, int, int], Values]]:
    """Convert a copy of the workbook and read what LibreOffice saved."""
    with scratch_folder() as folder:
        result = open_package(convert(package.path, folder, "xlsx"))
        yield lambda title, rows, columns: read_grid(result, title, rows, columns)


def convert(path: Path, folder: Path, kind: str) -> Path:
    """Recalculate a workbook and save it as ``kind`` (xlsx, pdf) in a private folder."""
    return convert_all([path], folder, kind)[0]


def convert_all(paths: Sequence[Path], folder: Path, kind: str) -> list[Path]:
    """Do so with several workbooks in one start of the program; a filter may follow the kind."""
    program = find_soffice()
    if program is None:
        raise EngineError(
            "LibreOffice is not installed (no soffice on the path): install libreoffice-calc, "
            "or use --engine ironcalc"
        )
    profile, out = folder / "profile", folder / "out"
    sources = [folder / f"book{i or ''}.xlsx" for i in range(len(paths))]
    _write_profile(profile)
    for path, source in zip(paths, sources, strict=True):
        shutil.copyfile(path, source)
    command = [
        program,
        f"-env:UserInstallation={profile.as_uri()}",
        "--headless",
        "--norestore",
        "--nolockcheck",
        "--convert-to",
        kind,
        "--outdir",
        str(out),
        *map(str, sources),
    ]
    log = _run(command, ", ".join(path.name for path in paths))
    results = [out / f"{source.stem}.{kind.partition(':')[0]}" for source in sources]
    for path, result in zip(paths, results, strict=True):
        if not result.exists():
            raise EngineError(f"LibreOffice could not convert {path.name}: {log.strip()[-200:]}")
    return results


def _write_profile(profile: Path) -> None:
    items = "".join(
        f'<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse">'
        f"<value>{value}</value></prop></item>"
        for path, name, value in _SETTINGS
    )
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>',
        encoding="utf-8",
    )


def _run(command: list[str], name: str) -> str:
    """Run in a process group of its own, so that all of it ends when the time is over."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"LibreOffice cannot be started ({error.strerror or error})") from None
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise EngineError(f"LibreOffice took more than {TIMEOUT:.0f} s for {name}") from None
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return output.decode(errors="replace")
