"""Cells that interrupt a law: which of them have no reason to.

A run that stands between two parts of one law, or at the end of it, is suspect where it
is the smaller part by far. It is acquitted where the law could not hold there (it would
read a heading, a blank, or beyond the sheet), where the cells beside it change their ways
in the same place (a row of totals, the first row of an epoch), where it follows those
beside it instead, and where it sums up the cells before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sheetnet.linting.candidates import Candidate, candidates, supports
from sheetnet.linting.cells import (
    CONSTANT_NUMBER,
    CONSTANT_TEXT,
    NOTHING,
    OUTSIDE,
    SEPARATORS,
    Axis,
    Lines,
    SheetCells,
    Workbook,
)
from sheetnet.linting.forms import CELL
from sheetnet.linting.laws import Law, Pair, fits, natural_law, stepping_law
from sheetnet.linting.runs import Run
from sheetnet.reader.sparse import BLANK, TEXT

BESIDE = 20
"""Cells to either side that are asked whether they change their ways in the same place."""


SHEET_NAME = re.compile(r"(?:'(?:[^']|'')+'|\w+)!")

OPERATORS = "+-*/^&=<>(,"
"""Signs of a formula that calculates."""


@dataclass(frozen=True)
class Suspect:
    """A run without a reason, the law that it breaks, and how many cells follow that."""

    axis: Axis
    line: int
    run: Run
    law: Law
    support: int


@dataclass(frozen=True)
class Court:
    """What is needed to judge the runs of a sheet's lines along one axis."""

    book: Workbook
    cells: SheetCells
    axis: Axis

    @property
    def crossing(self) -> Lines:
        """The lines that run across those judged."""
        return self.cells.across if self.axis.down else self.cells.down

    def suspects(
        self, line: int, runs: Sequence[Run], crosswise: Mapping[int, int]
    ) -> Iterator[Suspect]:
        """The runs of a line that break a law without a reason.

        ``crosswise`` maps positions to the length of the run of equal formulas that the
        cell stands in the other way: where that is longer, it is the pattern.
        """
        support, parts = supports(runs)
        for candidate in candidates(runs, support):
            run, law = candidate.run, candidate.law
            followers = support[law, False]
            if run.law is not None:
                if crosswise[run.start] >= followers and not run.other_signs:
                    continue
                own = run.law, run.other_signs
                if parts[own] > 1 and support[own] * 8 > followers:
                    continue
                if parts[own] > 2 and self._is_apart(line, run):
                    continue  # a kind of block that comes again, too
            if self._is_list(candidate):
                continue
            if self._is_sum(line, run, law) or self._has_reason(candidate):
                continue
            if self._guilty(line, candidate, followers, parts[law, False]):
                yield Suspect(self.axis, line, run, law, followers)

    def _is_list(self, candidate: Candidate) -> bool:
        """Whether both take from other cells alike, as a list does block after block.

        They read across the direction that they stand in, or, beside each other, only
        repeat cells, each its own, or do the same with different sheets.
        """
        run, law = candidate.run, candidate.law
        if run.law is None or run.other_signs:
            return False
        if run.law.skeleton != law.skeleton:
            return candidate.side != 0 and self._elsewhere(run.law) == self._elsewhere(law) != ""
        if any(right if self.axis.down else down for down, right in law.slopes):
            return True
        form = self.book.forms.form(law.form)
        calculates = any(sign in form.skeleton for sign in OPERATORS)
        repeats = len(form.references) == 1 and form.skeleton.endswith(CELL) and not calculates
        again = run.law.targets(candidate.position) == law.targets(candidate.member)
        return candidate.side != 0 and repeats and not again

    def _elsewhere(self, law: Law) -> str:
        """The skeleton without the names of other sheets; empty where it names none."""
        skeleton = self.book.forms.form(law.form).skeleton
        bare = SHEET_NAME.sub("!", skeleton)
        return "" if bare == skeleton else bare

    def _has_reason(self, candidate: Candidate) -> bool:
        """Whether the law, in these cells, would read what it reads nowhere else."""
        run, law = candidate.run, candidate.law
        if run.other_signs:
            return False
        members = law.targets(candidate.member)
        usual = self.book.reads(self.cells, law.form, members)
        for position in {run.start, run.last}:
            targets = law.targets(position)
            there = self.book.reads(self.cells, law.form, targets)
            for i, (a, b) in enumerate(zip(there, usual, strict=True)):
                if a != b and a in (BLANK, TEXT, OUTSIDE) and b not in (BLANK, OUTSIDE):
                    return True
                if a == b == TEXT and self._is_heading(law, i, targets[i], members[i]):
                    return True
        return False

    def _is_heading(self, law: Law, i: int, there: Pair, usual: Pair) -> bool:
        """Whether a text that was typed stands where usually a formula gives one."""
        sheet = self.book.find(self.cells, self.book.forms.uses(law.form)[i].sheet)
        return (
            sheet is not None
            and sheet.token(*there) == CONSTANT_TEXT
            and sheet.token(*usual) != CONSTANT_TEXT
        )

    def _is_sum(self, line: int, run: Run, law: Law) -> bool:
        """Whether it reads a stretch of its own line, which the law does not."""
        if run.law is None or run.law.skeleton == law.skeleton:
            return False
        return self._sums(line, run.law, run.start) and not self._sums(line, law, run.start)

    def _sums(self, line: int, law: Law, position: int) -> bool:
        targets = law.targets(position)
        for i, use in enumerate(self.book.forms.uses(law.form)[:-1]):
            if use.opens and use.sheet is None:
                (first, start), (last, end) = (self.axis.turn(*t) for t in targets[i : i + 2])
                if first <= line <= last and end > start:
                    return True
        return False

    def _guilty(self, line: int, candidate: Candidate, support: int, parts: int) -> bool:
        """What the cells beside it say; ``parts`` are those of the law in this line."""
        run, law, side = candidate.run, candidate.law, candidate.side
        if self._of_other_shape(line, candidate):
            return False
        changing = going_on = steady = alike = 0
        for other, token, anchors in self._beside(line, candidate):
            steady += token == CONSTANT_NUMBER and all(t == token for t, _ in anchors)
            if max(t for t, _ in anchors) < 0 or (side and anchors[0][0] < 0):
                continue
            if token >= 0:
                same = self._continues(other, token, candidate.position, anchors)
                going_on += same
                changing += not same
            elif token == run.token == CONSTANT_NUMBER:
                changing += 1
            alike += token == run.token
        if run.token in SEPARATORS:
            if not side:
                return going_on > changing or (steady > 0 and not changing and parts == 2)
            return going_on > 2 + 2 * changing or (going_on == 2 and not changing)
        if run.other_signs:
            return changing <= max(1, going_on)
        if alike + 1 >= support:
            return False
        if side:
            similar = run.law is not None and run.law.skeleton == law.skeleton
            if run.law is not None and run.step > 1 and changing > 1 and not similar:
                return False  # a last or first block of its own kind
            return going_on >= (not similar) and changing <= going_on
        if candidate.company > 1 and not going_on:
            return False  # another block of a single line, as far as anybody can tell
        return changing <= max(1, going_on) or run.token == CONSTANT_NUMBER

    def _of_other_shape(self, line: int, candidate: Candidate) -> bool:
        """Whether a formula's block is wider or narrower than the law's.

        Blocks stand apart from each other, or are compared as such.
        """
        run = candidate.run
        if run.law is None or not (run.step > 1 or self._is_apart(line, run)):
            return False
        return self._ends(line, candidate.position) != self._ends(line, candidate.member)

    def _ends(self, line: int, position: int) -> tuple[int, ...]:
        """How far the nearest blanks at a position are from a line, to either side."""
        held = self.crossing.window(position, line - BESIDE, line + BESIDE)
        return tuple(
            next((n for n in range(1, BESIDE + 1) if line + direction * n not in held), BESIDE)
            for direction in (-1, 1)
        )

    def _is_apart(self, line: int, run: Run) -> bool:
        """Whether blanks are before and behind a run."""
        ends = [self.axis.place(line, at) for at in (run.start - 1, run.last + 1)]
        return all(self.cells.token(*place) == NOTHING for place in ends)

    def _beside(self, line: int, candidate: Candidate) -> Iterator[tuple[int, int, list[Anchor]]]:
        """Of the cells beside it: line, token, and two of its own line to compare with.

        These are the next before and behind, or two where the law holds on one side. Cells
        behind a blank belong to something else, unless whole blocks are compared.
        """
        run, side = candidate.run, candidate.side
        low, high = max(1, line - BESIDE), line + BESIDE
        if side:
            places = [candidate.member, candidate.member + side * run.step]
        elif run.count == 1:
            places = [run.start - run.step, run.start + run.step]
        else:
            places = [run.start - run.step, run.start - 2 * run.step]
        here = self.crossing.window(candidate.position, low, high)
        there = [(self.crossing.window(place, low, high), place) for place in places]
        for direction in (-1, 1):
            other = line + direction
            while low <= other <= high:
                token = here.get(other, NOTHING)
                if token != NOTHING:
                    anchors = [(held.get(other, NOTHING), place) for held, place in there]
                    yield other, token, anchors
                elif run.step == 1:
                    break
                other += direction

    def _continues(self, line: int, token: int, own: int, anchors: Sequence[Anchor]) -> bool:
        """Whether a formula beside is what the others of its own line would have there."""
        forms, axis = self.book.forms, self.axis
        found = [(t, place) for t, place in anchors if t >= 0]
        if all(t == token for t, _ in found):
            return True
        number = forms.form(token).number
        if any(forms.form(t).number != number for t, _ in found):
            return False
        law = natural_law(forms, token, axis, line, own, 1)
        if all(fits(forms, law, t, axis, line, place) for t, place in found):
            return True
        if len(found) < 2:
            return True  # too few to tell
        first, second, third = sorted([(own, token), *((place, t) for t, place in found)])
        step = min(second[0] - first[0], third[0] - second[0])
        if second[0] - first[0] > step:  # the distant one in front
            first, second, third = second, third, first
        pair = first[1], second[1]
        law = stepping_law(forms, pair, axis, line, first[0], step)
        return (third[0] - first[0]) % step > 0 or fits(forms, law, third[1], axis, line, third[0])


Anchor = tuple[int, int]
"""A token, and its position in its line."""
