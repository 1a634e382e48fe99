"""Make the same files under other circumstances, and compare their bytes.

    python tests/repro.py [--python OTHER_PYTHON ...] [--only NAME ...]

Each line of the table is a run of its own in which one thing is different: the interpreter
(one that has sheetnet installed, --python; again for more), hash seed, time zone, locale,
folder, threads, and what NumPy, the C library and openpyxl choose by processor or by what
is installed. Exit status 1 where anything but what is expected to differ does.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"

RUNS: Mapping[str, tuple[str, ...]] = {
    "export": ("export", "examples/overfitting_early_stopping.toml", "--epochs", "4"),
    "export dropout": ("export", "examples/dropout.toml", "-o", "d.xlsx", "--epochs", "2"),
    "exercise": ("exercise", "examples/adam.toml", "-o", "e.xlsx"),
    "hunt": ("exercise", "examples/xor.toml", "-o", "h.xlsx", "--bugs", "2", "--seed", "3"),
    "code": ("code", "examples/iris.toml", "-o", "t.py"),
    "code torch": ("code", "examples/xor.toml", "-o", "o.py", "--framework", "torch"),
    "train": ("train", "examples/iris.toml", "--json", "--epochs", "3"),
    "tune": ("tune", "examples/iris.toml", "--units", "2,3", "--epochs", "2", "--folds", "3",
             "--jobs", "2", "--json", "-o", "w.toml"),
    "new": ("new", "n.toml"),
}  # fmt: skip

FEW = ("export", "exercise", "code", "tune")
"""What the tests make."""


def make(names: list[str]) -> dict[str, str]:
    """Make everything in the current folder; name -> the hash of its bytes."""
    from click.testing import CliRunner

    from sheetnet.cli import main

    found = {}
    for name in names:
        before = set(Path().iterdir())
        with contextlib.redirect_stderr(io.StringIO()):
            done = CliRunner().invoke(main, RUNS[name])
        assert done.exit_code == 0, (name, done.output, done.exception)
        found[f"{name}: printed"] = hashlib.sha256(done.stdout.encode()).hexdigest()
        for path in sorted(set(Path().iterdir()) - before):
            found[f"{name}: {path}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def made(
    names: list[str], python: str = sys.executable, folder: str = "", **environment: str
) -> dict[str, str]:
    """The same by a process of its own."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LC_", "LANG"))}
    with tempfile.TemporaryDirectory() as place:
        here = Path(place) / folder
        shutil.copytree(EXAMPLES, here / "examples")
        done = subprocess.run(
            [python, __file__, "--make", *names],
            cwd=here,
            env={**plain, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


SETTINGS: Mapping[str, Mapping[str, str]] = {
    "a second run": {},
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed 2": {"PYTHONHASHSEED": "2"},
    "time zone": {"TZ": "Pacific/Kiritimati"},
    "locale": {"LC_ALL": "C", "PYTHONUTF8": "0"},
    "folder": {"folder": "ein Ordner größe"},
    "one thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "optimised": {"PYTHONOPTIMIZE": "1"},
}
"""What must make no difference at all."""


def processors() -> dict[str, dict[str, str]]:
    """What is chosen by processor or by what else is installed: measured, and told."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    had = " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))
    return {
        f"NumPy without {had}": {"NPY_DISABLE_CPU_FEATURES": had},
        "C library without AVX2, FMA": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
        "openpyxl without lxml": {"OPENPYXL_LXML": "False"},
    }


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def main_here() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--make", nargs="+", choices=RUNS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        print(json.dumps(make(given.make)))
        return 0
    base = made(given.only)
    print(f"{len(base)} files and outputs\n{'what is different':50} differing bytes")
    settings = {**SETTINGS, **processors(), **{p: {"python": p} for p in given.python}}
    bad = 0
    for label, setting in settings.items():
        names = differing(base, made(given.only, **setting))
        bad += len(names)
        print(f"{label[:50]:50} {', '.join(names) or 'none'}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main_here())
