"""Real editing in LibreOffice: a Basic macro in a private profile with default settings.

LibreOffice opens a workbook with its default "never recalculate", so cells that the
edit does not reach keep the values that the file held: that is what a student's file is
like. The converter that sheetnet itself drives recalculates everything, and would not
show it. All jobs share one start of the program.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from shown import errors, formulas

import sheetnet
from sheetnet.recalc.libreoffice import convert_all, find_soffice

TIMEOUT = 120.0
"""Seconds; a macro that stops in an error would otherwise wait for ever."""

Content = float | str


@dataclass(frozen=True)
class Job:
    """Load ``source``, type into cells ("Config!B6" -> number, text or ``=formula``), save.

    Formulas are in English with ``;`` between arguments.
    """

    source: Path
    target: Path
    edits: Mapping[str, Content] = field(default_factory=dict)


_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE {0}:{1} PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "{1}.dtd">\n'
)
_LIBRARIES = _DOCTYPE.format("library", "libraries") + (
    '<library:libraries xmlns:library="http://openoffice.org/2000/library">'
    '<library:library library:name="Standard" library:link="false"/></library:libraries>'
)
_LIBRARY = _DOCTYPE.format("library", "library") + (
    '<library:library xmlns:library="http://openoffice.org/2000/library" '
    'library:name="Standard" library:readonly="false" library:passwordprotected="false">'
    "{}</library:library>"
)
_MODULE = _DOCTYPE.format("script", "module") + (
    '<script:module xmlns:script="http://openoffice.org/2000/script" '
    'script:name="Jobs" script:language="StarBasic">{}</script:module>'
)
# Without "completed" the first start lays the default macros over ours.
_SETTINGS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
    '<item oor:path="/org.openoffice.Setup/Office">'
    '<prop oor:name="ooSetupInstCompleted" oor:op="fuse"><value>true</value></prop></item>'
    "</oor:items>"
)


def edit_in_libreoffice(jobs: Sequence[Job], folder: Path) -> None:
    """Do the jobs in one LibreOffice; ``folder`` (new or empty) takes its profile."""
    program = find_soffice()
    assert program is not None, "LibreOffice is missing"
    log = folder / "log.txt"
    profile = folder / "profile"
    _write_profile(profile, _program(jobs, log))
    command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless"]
    command += ["--norestore", "--nolockcheck", "macro:///Standard.Jobs.Main"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    said = log.read_text(encoding="utf-8") if log.exists() else output.decode(errors="replace")
    assert said.strip() == "done", f"the macro failed: {said}"
    missing = [str(job.target) for job in jobs if not job.target.exists()]
    assert not missing, f"LibreOffice did not save {missing}"


def assert_libreoffice_agrees(books: Sequence[Path], folder: Path) -> None:
    """Recalculate workbooks in one start, as sheetnet does it, and verify what was saved."""
    folder.mkdir()
    for book, saved in zip(books, convert_all(books, folder, "xlsx"), strict=True):
        report = sheetnet.verify(saved, "saved")
        assert report.agree, f"{book.stem}: {report.to_text()}"
        assert report.cells > 0
        # On sheets too that nothing is compared on; as many formulas, and TRUE becomes one.
        assert errors(saved) == errors(book), book.stem
        assert formulas(saved) >= formulas(book) > 0, book.stem


def _program(jobs: Sequence[Job], log: Path) -> str:
    """The macro: each job written out."""
    lines = ["Sub Main", "On Error GoTo Failed"]
    lines += ["Dim n(0) As New com.sun.star.beans.PropertyValue"]
    for job in jobs:
        lines += ['n(0).Name = "Hidden"', "n(0).Value = True"]
        url = _quoted(job.source.resolve().as_uri())
        lines.append(f'doc = StarDesktop.loadComponentFromURL({url}, "_blank", 0, n())')
        for where, content in job.edits.items():
            sheet, _, cell = where.partition("!")
            target = f"doc.Sheets.getByName({_quoted(sheet)}).getCellRangeByName({_quoted(cell)})"
            lines.append(f"{target}.{_setter(content)}")
        lines += ['n(0).Name = "FilterName"', 'n(0).Value = "Calc MS Excel 2007 XML"']
        lines.append(f"doc.storeToURL({_quoted(job.target.resolve().as_uri())}, n())")
        lines.append("doc.close(True)")
    lines += [*_say(log, '"done"'), "StarDesktop.terminate()", "Exit Sub"]
    lines += ["Failed:", *_say(log, 'Error & " in line " & Erl'), "StarDesktop.terminate()"]
    return "\n".join([*lines, "End Sub"])


def _setter(content: Content) -> str:
    if isinstance(content, float):
        return f"setValue({content!r})"
    if content.startswith("="):
        return f"setFormula({_quoted(content)})"
    return f"setString({_quoted(content)})"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _say(log: Path, expression: str) -> list[str]:
    return [f"Open {_quoted(str(log))} For Output As #1", f"Print #1, {expression}", "Close #1"]


def _write_profile(profile: Path, program: str) -> None:
    standard = profile / "user" / "basic" / "Standard"
    standard.mkdir(parents=True)
    files = {
        profile / "user" / "registrymodifications.xcu": _SETTINGS,
        standard.parent / "script.xlc": _LIBRARIES,
        standard.parent / "dialog.xlc": _LIBRARIES,
        standard / "script.xlb": _LIBRARY.format('<library:element library:name="Jobs"/>'),
        standard / "dialog.xlb": _LIBRARY.format(""),
        standard / "Jobs.xba": _MODULE.format(escape(program)),
    }
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
