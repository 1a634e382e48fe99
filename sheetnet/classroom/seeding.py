"""Which faults a hunt has: drawn from a seed, put in, recalculated, and drawn again if need be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sheetnet.classroom.columns import Column, Setting, columns_of, setting_of
from sheetnet.classroom.kinds import Case, Draw, Kind
from sheetnet.classroom.rewriting import Edit, with_edits
from sheetnet.classroom.trial import LARGE, Seen, Trial, tried
from sheetnet.errors import LimitError
from sheetnet.layout import Layout
from sheetnet.problem import Problem
from sheetnet.randomness import faults_stream
from sheetnet.regions import DATA, TRAIN

TRIES = 4
"""How often a kind is drawn before it counts as one that does not show in this workbook."""


@dataclass(frozen=True)
class Seeded:
    """A fault: the same mistake in one column or in all of a quantity; where it shows first."""

    kind: Kind
    edits: tuple[Edit, ...]
    seen: Seen

    @property
    def column(self) -> Column:
        """Its first column."""
        return self.edits[0].column


@dataclass(frozen=True)
class _Drawn:
    """A fault that has not been tried yet."""

    kind: Kind
    edits: tuple[Edit, ...]

    @property
    def places(self) -> frozenset[tuple[str, int]]:
        """The columns that it needs for itself; of Data the whole sheet."""
        return frozenset(
            (DATA, 0) if edit.column.sheet == DATA else edit.column.place for edit in self.edits
        )


class _Pool:
    """Draws faults: kinds in a random order, each from all columns that it applies to.

    Without ``wide`` each takes a single column, which leaves more for others.
    """

    def __init__(
        self, setting: Setting, kinds: Sequence[Kind], seed: int, *, wide: bool = True
    ) -> None:
        self.setting, self.draw, self.wide = setting, faults_stream(seed), wide
        self.columns = columns_of(setting.problem, setting.layout)
        order = self.draw.permutation(len(kinds)).tolist()
        self.left = {kinds[i].name: TRIES for i in order}
        self.kinds = {kinds[i].name: kinds[i] for i in order}

    def next(self, taken: Sequence[_Drawn]) -> _Drawn | None:
        """Another fault, of a kind and in columns that none of those taken has."""
        has = {drawn.kind.name for drawn in taken}
        places = frozenset[tuple[str, int]]().union(*(drawn.places for drawn in taken))
        for name in [name for name, left in self.left.items() if left and name not in has]:
            found = self._drawn(self.kinds[name], places)
            if found is not None:
                return found
        return None

    def reject(self, drawn: _Drawn) -> None:
        """It cannot be seen, or spoils the rest: its kind may be drawn less often."""
        self.left[drawn.kind.name] -= 1

    def _drawn(self, kind: Kind, places: frozenset[tuple[str, int]]) -> _Drawn | None:
        """A fault of a kind; None where no column is left for it."""
        for i in self.draw.permutation(len(self.columns)).tolist():
            drawn = self._in(kind, self.columns[i])
            if drawn is not None and not drawn.places & places:
                return drawn
        return None

    def _in(self, kind: Kind, column: Column) -> _Drawn | None:
        """The fault in a column or, at times, in all of its quantity that allow for it."""
        seed = int(self.draw.randint(2**31))
        own = self._edit(kind, column, Draw(seed))
        if own is None:
            return None
        if not (kind.wide and self.wide) or self.draw.randint(2):
            return _Drawn(kind, (own,))
        alike = (c for c in self.columns if (c.sheet, c.block) == (column.sheet, column.block))
        edits = (self._edit(kind, c, Draw(seed)) for c in alike)
        return _Drawn(kind, tuple(edit for edit in edits if edit is not None))

    def _edit(self, kind: Kind, column: Column, draw: Draw) -> Edit | None:
        if column.sheet not in kind.sheets:
            return None
        rows = kind.rows(column.rows, draw)
        if rows is None:
            return None
        contents = kind.find(Case(column, self.setting, rows))
        if not contents:
            return None
        return Edit(column, *rows, contents[int(draw.randint(len(contents)))])


@dataclass(frozen=True)
class _Verdict:
    """What a trial says: where each fault shows; ``sound``: the rest can still be read."""

    seen: tuple[Seen | None, ...]
    sound: bool

    @property
    def good(self) -> bool:
        """Whether all can be seen."""
        return self.sound and all(self.seen)

    def seeded(self, drawn: Sequence[_Drawn]) -> list[Seeded]:
        """The faults with the cells in which they show."""
        pairs = zip(drawn, self.seen, strict=True)
        return [Seeded(each.kind, each.edits, seen) for each, seen in pairs if seen is not None]


class Hunt:
    """Puts faults into a right workbook until there are enough that can be seen.

    ``right`` is the workbook, with no more sheets than faults can be in; copies of it are
    tried in its folder.
    """

    def __init__(self, problem: Problem, layout: Layout, right: Path) -> None:
        self.right = right
        with tried(problem, layout, right) as trial:
            self.errors, self.largest = trial.errors, max(1.0, trial.largest)
            self.setting = setting_of(problem, layout, trial.held[TRAIN])

    def seed(self, kinds: Sequence[Kind], bugs: int, seed: int) -> list[Seeded]:
        """Draw the faults; raises :class:`LimitError` where not so many kinds can be seen."""
        possible = 0
        for wide in (True, False):
            found = self._seed(_Pool(self.setting, kinds, seed, wide=wide), bugs)
            if len(found) == bugs:
                return found
            possible = max(possible, len(found))
        raise LimitError(_too_few(self.setting, bugs, possible))

    def _seed(self, pool: _Pool, bugs: int) -> list[Seeded]:
        """The faults that can be seen together, fewer than ``bugs`` where there are no more."""
        shown: list[Seeded] = []
        taken: list[_Drawn] = []
        pending: list[_Drawn] = []
        one_by_one = False
        while True:
            if not one_by_one:
                pending += self._more(pool, [*taken, *pending], bugs - len(taken) - len(pending))
            if not pending:
                return shown
            batch = pending[:1] if one_by_one else list(pending)
            verdict = self._try([*taken, *batch])
            if verdict.good:
                taken += batch
                pending = pending[len(batch) :]
                shown = verdict.seeded(taken)
                if len(taken) == bugs:
                    return shown
            elif len(batch) == 1:
                pool.reject(pending.pop(0))
            elif verdict.sound and all(verdict.seen[: len(taken)]):
                visible = dict(zip(map(id, batch), verdict.seen[len(taken) :], strict=True))
                for drawn in batch:
                    if visible[id(drawn)] is None:
                        pool.reject(drawn)
                        pending.remove(drawn)
            else:
                one_by_one = True  # one of them spoils the rest: find out which
            one_by_one = one_by_one and bool(pending)

    @staticmethod
    def _more(pool: _Pool, taken: Sequence[_Drawn], count: int) -> Iterator[_Drawn]:
        found = list(taken)
        for _ in range(count):
            drawn = pool.next(found)
            if drawn is None:
                return
            found.append(drawn)
            yield drawn

    def _try(self, drawn: Sequence[_Drawn]) -> _Verdict:
        path = self.right.with_name("trial.xlsx")
        with_edits(self.right, path, [edit for each in drawn for edit in each.edits])
        with tried(self.setting.problem, self.setting.layout, path) as trial:
            seen = tuple(_first(trial, each) for each in drawn)
            bounded = trial.largest <= LARGE * self.largest
            return _Verdict(seen, trial.errors <= self.errors and bounded)


def _first(trial: Trial, drawn: _Drawn) -> Seen | None:
    """Where a fault shows first; None where one of its columns does not show it at all."""
    found = [trial.seen(edit) for edit in drawn.edits]
    shown = [seen for seen in found if seen is not None]
    return min(shown, key=lambda seen: seen.offset) if len(shown) == len(found) else None


def _too_few(setting: Setting, bugs: int, possible: int) -> str:
    faults = "fault" if possible == 1 else "faults"
    return (
        f"bugs is {bugs}: in this workbook ({setting.problem.spec.name}) {possible} {faults} of "
        f"different kinds can be seen; allowed: 1 to {possible}"
        if possible
        else f"bugs is {bugs}, but no fault can be seen in this workbook"
    )
