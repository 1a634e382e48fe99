"""End the commands that write at random moments, on full disks, and two at a time.

    python tests/crash.py [--count 50] [--seed 0] [--writer export ...]

Each writer is killed --count times by each of SIGKILL, SIGTERM and SIGINT, at a moment drawn
from its running time, with the old file there or without one. A table tells what was found:

old, new   the target is what it was before, or whole and new
left       something else lay about until the same command was run again (SIGKILL only)
broken     the target is neither, or something still lies about, or a process is still running

Then the disk is full (a tmpfs of its own, as root on Linux; else it is left out) after so and
so many bytes, and two commands write one file at a time. Exit status 1 where anything is broken.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from sheetnet import staging
from sheetnet.cli import main

for _module in ("workbook.export", "classroom.write", "classroom.bugs", "classroom.run",
                "classroom.pool", "codegen", "starting.new", "tuning", "verification"):  # fmt: skip
    import_module(f"sheetnet.{_module}")  # once, before the forks

SPEC = """
[data]
source = "toy:circles"
rows = 80
[[layers]]
units = 3
activation = "tanh"
[[layers]]
activation = "sigmoid"
[training]
epochs = {epochs}
seed = {seed}
"""

OLD = b"the old file\n"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PAGE = 4096


@dataclass(frozen=True)
class Writer:
    """A command line, and what it writes."""

    command: tuple[str, ...]
    targets: tuple[str, ...]
    nameless: bool = True
    share: int = 1
    """One in so many runs: processes of their own take seconds to start."""


WRITERS: Mapping[str, Writer] = {
    "export": Writer(("export", "s.toml", "-o", "b.xlsx", "--sheets", "Epochs"), ("b.xlsx",)),
    # As on file systems and systems that know only files with names.
    "export, by name": Writer(
        ("export", "s.toml", "-o", "b.xlsx", "--sheets", "Epochs"), ("b.xlsx",), nameless=False
    ),
    "code": Writer(("code", "s.toml", "-o", "t.py"), ("t.py", "t_data.csv")),
    "new": Writer(("new", "n.toml"), ("n.toml",)),
    "exercise": Writer(
        ("exercise", "small.toml", "-o", "e.xlsx", "--blank", "updates", "--visits", "1"),
        ("e.xlsx",),
    ),
    "exercise --bugs": Writer(
        ("exercise", "small.toml", "-o", "h.xlsx", "--bugs", "1"), ("h.xlsx", "h_key.md")
    ),
    "grade --csv": Writer(
        ("grade", "handed.xlsx", "--csv", "g.csv", "--jobs", "1"), ("g.csv",), share=5
    ),
    "tune -o": Writer(
        ("tune", "small.toml", "--units", "1,2", "--folds", "2", "--jobs", "2", "-o", "w.toml"),
        ("w.toml",),
        share=5,
    ),
}


def lay(folder: Path, seed: int = 0) -> None:
    folder.mkdir()
    (folder / "s.toml").write_text(SPEC.format(epochs=5, seed=seed))
    (folder / "small.toml").write_text(SPEC.format(epochs=1, seed=seed).replace("80", "8"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def start(writer: Writer, folder: Path, tmp: Path, *more: str) -> int:
    """Begin a command in a process of its own (a fork: what it imports is there already)."""
    sys.stdout.flush()
    # No signal before the command itself begins.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return child
    status = 70
    try:
        os.setsid()
        os.chdir(folder)
        os.environ["TMPDIR"] = str(tmp)
        tempfile.tempdir = None
        if not writer.nameless:
            staging._unnamed = lambda _: None  # type: ignore[assignment]
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(tmp.parent / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            main([*writer.command, *more])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        except KeyboardInterrupt:
            status = 128 + signal.SIGINT  # right before or after it
        except BaseException:
            print(traceback.format_exc(), file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def running(session: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@dataclass
class Place:
    """A folder for one writer: what it needs, what it makes, how long that takes."""

    writer: Writer
    root: Path
    given: dict[str, bytes] = field(default_factory=dict)
    made: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.root.mkdir()
        lay(self.folder)
        self.tmp.mkdir()
        if "handed.xlsx" in self.writer.command:
            hand_out = Writer(("exercise", "small.toml", "-o", "handed.xlsx", "--visits", "1"), ())
            assert status_of(start(hand_out, self.folder, self.tmp)) == 0
        self.given = contents(self.folder)
        begun = time.perf_counter()
        status = status_of(start(self.writer, self.folder, self.tmp))
        self.seconds = time.perf_counter() - begun
        assert status == 0, (self.root / "err").read_text()
        self.made = {name: (self.folder / name).read_bytes() for name in self.writer.targets}

    @property
    def folder(self) -> Path:
        return self.root / "here"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    def reset(self, *, old: bool) -> None:
        for name in self.writer.targets:
            (self.folder / name).unlink(missing_ok=True)
            if old:
                (self.folder / name).write_bytes(OLD)

    def found(self, *, old: bool) -> str:
        """Old, new, or broken."""
        have = {name: c for name, c in contents(self.folder).items() if name in self.made}
        if have == self.made:
            return "new"
        return "old" if have == (dict.fromkeys(self.made, OLD) if old else {}) else "broken"

    def about(self) -> list[str]:
        """What lies about beside what was given and made."""
        here = [n for n in contents(self.folder) if n not in self.given and n not in self.made]
        return here + [path.name for path in self.tmp.iterdir()]


def killed(place: Place, number: signal.Signals, moment: float, *, old: bool) -> list[str]:
    """What came of one run that was ended by a signal."""
    place.reset(old=old)
    child = start(place.writer, place.folder, place.tmp, "--force")
    time.sleep(moment)
    os.kill(child, number)
    status = status_of(child)
    found = [place.found(old=old)]
    if status not in (0, -number, 128 + number):
        found.append(f"status {status}: {(place.root / 'err').read_text()[-500:]}")
    until = time.perf_counter() + 20
    while running(child) and time.perf_counter() < until:
        time.sleep(0.02)
    if rest := running(child):
        found.append(f"broken: {len(rest)} processes run on")
    if about := place.about():
        found.append("left" if number == signal.SIGKILL else f"broken: {about}")
        status_of(start(place.writer, place.folder, place.tmp, "--force"))
        if about := place.about():
            found.append(f"broken: {about} stays")
    return found


def kill_all(root: Path, names: list[str], count: int, draw: random.Random) -> Iterator[Counter]:
    print(f"{'writer':18} {'signal':8} {'runs':>5} {'old':>5} {'new':>5} {'left':>5} broken")
    for n, name in enumerate(names):
        place = Place(WRITERS[name], root / f"kill{n}")
        for number in SIGNALS:
            all_found: Counter[str] = Counter()
            runs = max(1, count // place.writer.share)
            for i in range(runs):
                moment = draw.uniform(0, 1.3 * place.seconds)
                all_found.update(killed(place, number, moment, old=i % 2 == 0))
            bad = {k: v for k, v in all_found.items() if k not in ("old", "new", "left")}
            shown = (f"{all_found[k]:>5}" for k in ("old", "new", "left"))
            print(f"{name:18} {number.name:8} {runs:>5} {' '.join(shown)} {bad or 0}", flush=True)
            yield Counter(bad)


@contextmanager
def small_disk(where: Path, pages: int) -> Iterator[Path]:
    where.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={pages * PAGE}", "sheetnet", str(where)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield where
    finally:
        # Helping processes end soon after the one that they help, which has ended.
        for _ in range(100):
            done = subprocess.run(["umount", str(where)], check=False, capture_output=True)
            if done.returncode == 0:
                break
            time.sleep(0.1)
        else:
            subprocess.run(["umount", str(where)], check=True)


def full_disks(root: Path, names: list[str], draw: random.Random) -> Iterator[Counter]:
    """The disk is full after 0, 1, … pages of what a writer needs."""
    print(f"\n{'full disk':18} {'runs':>5} {'old':>5} {'new':>5} broken")
    for n, name in enumerate(names):
        place = Place(WRITERS[name], root / f"disk{n}")
        needed = sum(-(-len(content) // PAGE) for content in place.made.values())
        moments = sorted({0, 1, needed - 1, needed, needed + 2, *draw.choices(range(needed), k=2)})
        all_found: Counter[str] = Counter()
        for free in moments:
            with small_disk(place.folder, 100 + needed) as disk:
                for given, content in place.given.items():
                    (disk / given).write_bytes(content)
                place.reset(old=True)
                room = os.statvfs(disk).f_bavail - max(0, free)
                (disk / "filler").write_bytes(bytes(room * PAGE))
                status = status_of(start(place.writer, disk, place.tmp, "--force"))
                (disk / "filler").unlink()
                said = (place.root / "err").read_text()
                found = place.found(old=True)
                # Behind it loky may tell of a child of this script, which ends without tidying up.
                said = said.partition("UserWarning: resource_tracker")[0]
                one_line = said.startswith("Error:") and "Traceback" not in said
                if (found, status, one_line) not in (("new", 0, False), ("old", 2, True)):
                    found = f"broken: {found}, status {status}, {said.strip()!r}"
                all_found.update([found, *(f"broken: {each}" for each in place.about())])
        bad = {k: v for k, v in all_found.items() if k not in ("old", "new")}
        print(f"{name:18} {len(moments):>5} {all_found['old']:>5} {all_found['new']:>5} {bad or 0}")
        yield Counter(bad)


def at_a_time(root: Path, count: int, draw: random.Random) -> Iterator[Counter]:
    """Two exports to one file, of specs that differ; with --force and without."""
    print(f"\n{'two at a time':18} {'runs':>5} {'one':>5} {'other':>5} {'refused':>7} broken")
    for named, writer in (("nameless", WRITERS["export"]), ("by name", WRITERS["export, by name"])):
        one, other = (Place(writer, root / f"{named}{n}") for n in (1, 2))
        second = replace(writer, command=("export", "other.toml", *writer.command[2:]))
        for place in (one, other):
            (place.folder / "other.toml").write_text(SPEC.format(epochs=5, seed=7))
        other.reset(old=False)
        status_of(start(second, other.folder, other.tmp))
        results = [one.made["b.xlsx"], (other.folder / "b.xlsx").read_bytes()]
        assert results[0] != results[1]
        one.given["other.toml"] = b""
        for force in ((), ("--force",)):
            all_found: Counter[str] = Counter()
            for _ in range(count):
                one.reset(old=False)
                children = []
                for each in draw.sample([writer, second], 2):
                    children.append(start(each, one.folder, one.tmp, *force))
                    time.sleep(draw.uniform(0, one.seconds / 4))
                ends = sorted(map(status_of, children))
                have = contents(one.folder).get("b.xlsx", b"")
                all_found[
                    ("one", "other")[results.index(have)] if have in results else "broken"
                ] += 1
                all_found["refused"] += ends == [0, 2]
                if ends != [0, 0] and (force or ends != [0, 2]):
                    all_found[f"broken: statuses {ends}"] += 1
                if about := one.about():
                    all_found[f"broken: {about}"] += 1
            bad = {k: v for k, v in all_found.items() if k not in ("one", "other", "refused")}
            shown = f"{all_found['one']:>5} {all_found['other']:>5} {all_found['refused']:>7}"
            label = f"{named} {' '.join(force)}"
            print(f"{label:18} {count:>5} {shown} {bad or 0}", flush=True)
            yield Counter(bad)


def on_small_disks(arguments: list[str]) -> Counter:
    """Run the part with full disks where mounting disturbs nobody, if that is allowed."""
    mine = ["unshare", "--mount"]
    try:
        attempt = [*mine, "mount", "-t", "tmpfs", "t", "/mnt"]
        can = subprocess.run(attempt, check=False, capture_output=True)
    except OSError:
        can = None
    if can is None or can.returncode:
        print("\nfull disk: left out, nothing can be mounted here")
        return Counter()
    command = [*mine, sys.executable, __file__, *arguments, "--parts", DISK]
    return Counter({DISK: subprocess.run(command, check=False).returncode})


DISK, PARTS = "full", ("kill", "disk", "two")


def run(count: int, seed: int, names: list[str], parts: list[str]) -> Counter:
    draw = random.Random(seed)
    bad: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        root = Path(folder)
        makers: dict[str, Callable[[], Iterator[Counter]]] = {
            "kill": lambda: kill_all(root, names, count, draw),
            DISK: lambda: full_disks(root, names, draw),
            "two": lambda: at_a_time(root, max(2, count // 3), draw),
        }
        for part in parts:
            for found in makers[part]():
                bad += found
    return bad


def of_command_line() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--writer", action="append", choices=WRITERS, help="again for more")
    parser.add_argument("--parts", nargs="+", choices=(*PARTS, DISK), default=PARTS)
    given = parser.parse_args()
    names = given.writer or list(WRITERS)
    bad: Counter[str] = Counter()
    for part in given.parts:
        if part == "disk":
            these = [f"--writer={name}" for name in names]
            bad += on_small_disks(["--count", str(given.count), "--seed", str(given.seed), *these])
        else:
            bad += run(given.count, given.seed, names, [part])
    print(f"\nbroken: {sum(bad.values())}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(of_command_line())
