"""LibreOffice, headless: every formula recalculated on load, in a private profile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sheetnet.errors import EngineError
from sheetnet.owned import scratch_folder
from sheetnet.reader.cells import Values
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package, open_package, reading
from sheetnet.recalc.copies import without_links

LEAST_SECONDS, SECONDS_PER_MB = 300, 5
"""Time for a conversion: so much for any workbooks, and for each MB that they have unpacked."""

LEAST_MEMORY, MEMORY_PER_BYTE = 6 << 30, 60
"""Address space of each of its processes, likewise: bytes, and bytes for each unpacked."""

_SETTINGS = (
    # Without this LibreOffice keeps whatever values the file holds: 0 is "always".
    ("Office.Calc/Formula/Load", "OOXMLRecalcMode", "0"),
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Office.Calc/Content/Update", "Link", "2"),
    # A proxy that is not there: what asks for the network all the same gets nothing.
    ("Inet/Settings", "ooInetProxyType", "2"),
    ("Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPSProxyPort", "9"),
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
        without_links(path, source)
    command = [
        program,
        f"-env:UserInstallation={profile.as_uri()}",
        "--headless",
        "--norestore",
        "--nolockcheck",
        # Whatever else the package may be, an OpenDocument too: this is what sheetnet reads.
        "--infilter=Calc MS Excel 2007 XML",
        "--convert-to",
        kind,
        "--outdir",
        str(out),
        *map(str, sources),
    ]
    size = sum(_unpacked(path) for path in paths)
    seconds = LEAST_SECONDS + SECONDS_PER_MB * size // 1_000_000
    memory = LEAST_MEMORY + MEMORY_PER_BYTE * size
    log = _run(_bounded(command, memory), ", ".join(path.name for path in paths), seconds)
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


def _unpacked(path: Path) -> int:
    with reading(path), zipfile.ZipFile(path) as parts:
        return sum(part.file_size for part in parts.infolist())


def _bounded(command: list[str], memory: int) -> list[str]:
    """The command with a limit of memory, which all processes that it starts have too."""
    if os.name != "posix":
        return command
    script = 'ulimit -c 0; ulimit -v "$0" 2>/dev/null; exec "$@"'
    return ["/bin/sh", "-c", script, str(memory // 1024), *command]


def _run(command: list[str], name: str, seconds: int) -> str:
    """Run in a process group of its own, of which nothing is left at the end."""
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
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise EngineError(f"LibreOffice took more than {seconds} s for {name}") from None
    finally:
        # The program may be gone and children of it still there.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    return output.decode(errors="replace")
