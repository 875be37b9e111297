"""Random histories of a table: what it is in the end, and what DMS writes of it. Nothing here is driftguard's.

Of each history: the commits (as statements that PostgreSQL can run too), the rows of the files, the round in which each
file is loaded, and the rows that are there in the end. `seen` names the cases that it has (E1 to E14).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Key = tuple[str | None, ...]
Values = dict[str, str | None]

COMMITS = 14
ROUNDS = 7
BASE = datetime(2026, 1, 1)
DDL = 6  # the commit after which the column ADDED is there
RELOADED = 5  # the round after which all files of the reload are there
GAP, RELOAD = 6, 9  # what is committed between them is in no CDC file; then the table is loaded again
BAD = ("?", "2")  # no booleans
LOST = "\0lost"  # of a value that only a repair can bring back


@dataclass(frozen=True)
class Shape:
    """What all histories of one table have in common. `toast`, `moves` …: the switches of DMS."""

    name: str
    keys: tuple[str, ...] = ("ID",)
    plain: str | None = "V"
    large: str | None = "BODY"  # left out of an update that does not change it
    flag: str | None = "FLAG"  # its text may be no boolean
    added: str | None = "ADDED"  # there from a commit on, with a default for the rows that were there
    default: str | None = None  # of the added column
    null_key: bool = False
    bad_values: bool = True
    before_images: bool = True
    moves: bool = True
    deferrable: bool = False
    sequence: bool = True
    load_sequence: Literal["null", "load_time"] = "null"
    loads_at_start: bool = True
    toast: Literal["null", "looked_up"] = "null"
    deletes: Literal["full_row", "key_only"] = "full_row"
    true_text: Literal["true", "t"] = "true"
    reload: bool = False
    soft_delete: bool = False
    nasty_names: bool = False
    stream: bool = False  # not of DMS: the merge learns of new files by a stream
    number_key: bool = False  # the history's number is one, and limits what is read of FINAL

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(name for name in (self.plain, self.large, self.flag, self.added) if name is not None)


@dataclass(frozen=True)
class Staged:
    """A row of a file. `at` is the text that the commit-time column has, `early` of one that shows up too late."""

    op: str | None
    at: str
    sequence: str | None
    key: Key
    before: Key | None
    values: Values
    file: str
    row: int
    round: int
    early: bool = False


@dataclass(frozen=True)
class Change:
    """One row's change. `before` is the key of an update that moved the row, `absent` what the WAL has not."""

    op: Literal["I", "U", "D"]
    commit: int
    key: Key
    before: Key | None = None
    values: Values = field(default_factory=dict)
    absent: frozenset[str] = frozenset()


@dataclass
class History:
    """`rows` of all rounds; `end`: FINAL's rows by key."""

    number: int
    shape: Shape
    commits: list[list[Change]]
    end: dict[Key, Values]
    rows: list[Staged]
    seen: set[str]

    @property
    def changes(self) -> int:
        return sum(len(commit) for commit in self.commits)

    @property
    def touched(self) -> int:
        """Keys."""
        return len({change.key for commit in self.commits for change in commit})


def clock(commit: float, mixed: bool = False) -> str:
    """As DMS writes it; `mixed`: in the other way that ISO 8601 has, which as a text sorts elsewhere."""
    moment = BASE + timedelta(seconds=commit)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f" if mixed else "%Y-%m-%d %H:%M:%S.%f")


class Source:
    """A table, commit by commit. What cannot be cast leaves the value of before: `end` shows what FINAL can know."""

    def __init__(self, shape: Shape, dice: random.Random) -> None:
        self.shape = shape
        self.dice = dice
        self.rows: dict[Key, Values] = {}
        self.commit = 0
        self.changes: list[Change] = []
        self.seen: set[str] = set()
        self._body = itertools.count(1)

    @property
    def domain(self) -> list[Key]:
        first: list[str | None] = ["a", "b", "c", "d", "e"]
        if self.shape.null_key:
            first[2] = None
        return [(one, *("x",) * (len(self.shape.keys) - 1)) for one in first]

    def run(self, commit: int) -> list[Change]:
        self.commit, self.changes = commit, []
        self.came: set[Key] = set()  # in this commit
        if commit == DDL + 1 and self.shape.added:
            for row in self.rows.values():
                row[self.shape.added] = self.shape.default
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            self._act()
        return self.changes

    def _act(self) -> None:
        dice, shape = self.dice, self.shape
        key = dice.choice(self.domain)
        free = [one for one in self.domain if one not in self.rows]
        if key not in self.rows:
            self._insert(key)
            return
        act = dice.random()
        others = [one for one in self.rows if one != key and one not in self.came]
        if shape.deferrable and key in self.came:
            return  # a row that comes and goes in one commit cannot be told from one of two that trade keys
        if act < 0.2:
            self._delete(key)
            if dice.random() < 0.3:
                self.seen.add("E4")
                self._insert(key)
        elif act < 0.45 and shape.moves and free:
            self._move(key, dice.choice(free))
        elif act < 0.55 and shape.moves and others and (free or shape.deferrable):
            self._swap(key, dice.choice(others), free)
        elif shape.values:
            self._update(key)
        elif free and shape.moves:
            self._move(key, dice.choice(free))
        else:
            self._delete(key)

    def _insert(self, key: Key) -> None:
        sent = {name: self._value(name) for name in self._columns()}
        self.rows[key] = dict.fromkeys(self.shape.values)
        self._write(Change("I", self.commit, key, None, sent))

    def _update(self, key: Key) -> None:
        sent, absent = {}, set()
        for name in self._columns():
            if name == self.shape.large and self.dice.random() < 0.6:
                absent.add(name)
            elif name != self.shape.large and self.dice.random() < 0.3:
                sent[name] = self.rows[key][name]
            else:
                sent[name] = self._value(name, update=True)
        self._write(Change("U", self.commit, key, key, sent, frozenset(absent)))

    def _delete(self, key: Key) -> None:
        del self.rows[key]
        self.changes.append(Change("D", self.commit, key))

    def _move(self, key: Key, to: Key) -> None:
        self.seen.add("E3")
        row = self.rows.pop(key)
        self.rows[to] = row
        absent = {self.shape.large} & set(self._columns())
        sent = {name: row[name] for name in self._columns() if name not in absent}
        self._write(Change("U", self.commit, to, key, sent, frozenset(absent)))

    def _swap(self, key: Key, other: Key, free: list[Key]) -> None:
        """Over a third key, or directly where the key is checked at the end."""
        self.seen.add("E3")
        if not self.shape.deferrable:
            self._move(key, free[0])
            self._move(other, key)
            self._move(free[0], other)
            return
        one, two = self.rows.pop(key), self.rows.pop(other)
        self.rows[key], self.rows[other] = two, one
        for to, of in ((other, key), (key, other)):
            absent = {self.shape.large} & set(self._columns())
            sent = {n: self.rows[to][n] for n in self._columns() if n not in absent}
            self._write(Change("U", self.commit, to, of, sent, frozenset(absent)))

    def _write(self, change: Change) -> None:
        row = self.rows[change.key]
        if self.shape.deferrable and change.before != change.key:
            self.came.add(change.key)
        for name, value in change.values.items():
            if name == self.shape.flag and value in BAD:
                self.seen.add("E13")
                if change.op == "I":
                    row[name] = None
                continue
            row[name] = value
        if change.absent:
            self.seen.add("E7")
        self.changes.append(change)

    def _columns(self) -> list[str]:
        return [n for n in self.shape.values if n != self.shape.added or self.commit > DDL]

    def _value(self, name: str, update: bool = False) -> str | None:
        if name == self.shape.large:
            # A NULL that is written cannot be told from a value that is left out
            nothing = not (update and self.shape.toast == "null") and self.dice.random() < 0.2
            return None if nothing else f"body {next(self._body)}"
        if name == self.shape.flag:
            words = [None, "true", "false", *(BAD if self.shape.bad_values else ())]
            return self.dice.choice(words)
        return self.dice.choice((None, f"v{next(self._body)}"))


def history(shape: Shape, number: int, seed: str) -> History:
    """The history of this seed."""
    dice = random.Random(seed)
    source = Source(shape, dice)
    starts = dice.randrange(0, 4)
    states: list[dict[Key, Values]] = []
    commits: list[list[Change]] = []
    for commit in range(COMMITS):
        commits.append(source.run(commit))
        states.append({key: dict(row) for key, row in source.rows.items()})
    written = _Written(shape, dice, commits, states, source.seen)
    written.load(starts, 1)
    stopped = range(GAP + 1, RELOAD + 1) if shape.reload else range(0)
    written.follow([n for n in range(starts + 1, COMMITS) if n not in stopped])
    if shape.reload:
        written.load(RELOAD, 2)
    rows = list(written.delivered())
    emitted = [c for n, commit in enumerate(commits) if n > starts and n not in stopped for c in commit]
    seen = source.seen | written.seen | _ties(emitted)
    return History(number, shape, commits, states[-1], rows, seen)


def _ties(changes: list[Change]) -> set[str]:
    found = set()
    if any(not change.values and not change.absent and change.op == "U" for change in changes):
        found.add("E8")
    places = [(change.commit, change.key) for change in changes]
    if len(set(places)) < len(places):
        found |= {"E1", "E14"}
    kinds: dict[Key, str] = {}
    for change in changes:
        if change.op == "I" and kinds.get(change.key) == "D":
            found.add("E5")
        if change.op == "D" and change.key not in kinds:
            found.add("E4")
        kinds[change.key] = change.op
    if any(None in change.key for change in changes):
        found.add("E9")
    return found


class _Written:
    """The files of one history."""

    def __init__(
        self,
        shape: Shape,
        dice: random.Random,
        commits: list[list[Change]],
        states: list[dict[Key, Values]],
        seen: set[str],
    ) -> None:
        self.shape, self.dice, self.commits, self.states = shape, dice, commits, states
        self.seen = seen
        self.mixed = dice.random() < 0.5
        if self.mixed:
            self.seen.add("E2")
        if shape.nasty_names:
            self.seen.add("E12")
        self._files: list[tuple[str, list[Staged], int]] = []  # name, rows, the commit after which it is complete
        self._numbers = itertools.count(1)

    def load(self, start: int, which: int) -> None:
        """Each row is read at some moment after the start; a change that is committed meanwhile is in CDC too."""
        found: list[tuple[int, Key, Values]] = []
        end = start
        for key in sorted({k for state in self.states[start : start + 3] for k in state}, key=str):
            read = self.dice.randrange(start, min(start + 3, COMMITS))
            if key in self.states[read]:
                found.append((read, key, self.states[read][key]))
                end = max(end, read)
        if any(self.commits[start + 1 : start + 3]):
            self.seen.add("E10")
        found.sort(key=lambda item: item[0])
        for position, (read, key, row) in enumerate(found):
            # The task's start can be the moment of a commit; the transfer is some time after the reading.
            own = start + 1 if self.shape.loads_at_start else read + self.dice.choice((0.5, 1.5, 2.5))
            sequence = f"{int(own):016}" + "0" * 19 if self.shape.load_sequence == "load_time" else None
            values = {n: self._text(n, v) for n, v in row.items() if n != self.shape.added or read > DDL}
            at = clock(own, self.mixed)
            name = f"t/LOAD{which}{position // 2 + 1:07}.parquet"
            staged = Staged(None, at, sequence, key, None, values, name, position % 2, 0)
            self._file(name, end).append(staged)

    def follow(self, numbers: list[int]) -> None:
        """CDC: the changes of these commits, cut into files anywhere, in between of a transaction too."""
        changes = [change for number in numbers for change in self.commits[number]]
        name = ""
        for position, change in enumerate(changes):
            if not name or self.dice.random() < 0.45:
                name = f"t/20260101-{position:09}.parquet"
            rows = self._file(name, change.commit)
            row = len(rows) if not self.shape.sequence else 9999 - len(rows)  # any order will do with a sequence
            rows.append(self._staged(change, position, name, row))

    def _file(self, name: str, complete: int) -> list[Staged]:
        for known, rows, _ in self._files:
            if known == name:
                return rows
        self._files.append((name, [], complete))
        return self._files[-1][1]

    def _staged(self, change: Change, position: int, name: str, row: int) -> Staged:
        sequence = f"{change.commit:016}{position:019}" if self.shape.sequence else None
        if change.op == "D":
            gone = {n: "of a deleted row" for n in self.shape.values if self.shape.deletes == "full_row"}
            values: Values = {**gone}
        else:
            values = {n: self._text(n, v) for n, v in change.values.items()}
        for absent in change.absent:
            values[absent] = self._looked_up(change, absent) if self.shape.toast == "looked_up" else None
        before = change.before if self.shape.before_images and change.op == "U" else None
        at = clock(change.commit, self.mixed and self.dice.random() < 0.5)
        return Staged(change.op, at, sequence, change.key, before, values, name, row, 0)

    def _looked_up(self, change: Change, name: str) -> str | None:
        """What the table holds when DMS asks for it: at the commit or a little later."""
        later = min(change.commit + self.dice.choice((0, 0, 1, 2)), COMMITS - 1)
        row = self.states[later].get(change.key)
        return row[name] if row else None

    def _text(self, name: str, value: str | None) -> str | None:
        if name == self.shape.flag and self.shape.true_text == "t":
            return {"true": "t", "false": "f"}.get(value or "", value)
        return value

    def delivered(self) -> Iterator[Staged]:
        """Mostly in order; some files late, some twice, some that show up only after later ones."""
        dice = self.dice
        files = sorted(self._files, key=lambda item: item[2])
        for position, (name, rows, complete) in enumerate(files):
            meant = position * (ROUNDS - 1) // max(len(files), 1)
            last = ROUNDS - 1
            if self.shape.reload:
                meant, last = (min(meant, 3), 3) if complete < RELOAD else (max(meant, 4), last)
                if name.startswith("t/LOAD2"):
                    meant, last = 4, RELOADED
            late = dice.random() < 0.2 and meant < last
            when = dice.randint(meant + 1, last) if late else meant
            if late:
                self.seen.add("E6")
            early = when > 0 and dice.random() < 0.15
            if early:
                self.seen.add("E11")
            yield from (_in_round(row, when, early) for row in rows)
            if dice.random() < (0.5 if self.shape.reload and complete < RELOAD else 0.2):
                self.seen.add("E6")
                again = dice.randint(ROUNDS - 1 if self.shape.reload else when, ROUNDS - 1)
                yield from (_in_round(row, again, False) for row in rows)


def _in_round(row: Staged, number: int, early: bool) -> Staged:
    return Staged(row.op, row.at, row.sequence, row.key, row.before, row.values, row.file, row.row, number, early)
