"""The probe's rows as they arrive on the lake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from driftguard.dms.footers import read_footer
from driftguard.dms.newest import LOAD, every
from driftguard.dms.store import File, Refused, Store
from driftguard.emission.emit import OP
from driftguard.model.emission import Emission
from driftguard.model.observed import Footer, NotSeen
from driftguard.probe.cases import LAST, LATER

_MICROS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a file: as a person reads it, and so that it can be compared (microseconds for what is a time)."""

    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class Arrived:
    """One row of a file. `cells` has the columns of the file under their names there; None is NULL."""

    number: int
    op: str | None
    load: bool
    cells: Mapping[str, Cell | None]
    file: str


@dataclass(slots=True)
class Watch:
    """What has come for one table. Files that were there before the probe are none of its own."""

    store: Store
    emission: Emission
    key: str  # the name under which the id is emitted
    old: frozenset[str]
    rows: list[Arrived] = field(default_factory=list)
    footers: dict[str, Footer] = field(default_factory=dict)
    trouble: str = ""

    def look(self) -> int:
        """Read what is new; the number of new files."""
        new = 0
        try:
            for file in sorted(every(self.store, self.emission.path), key=lambda f: f.name):
                if file.path in self.old or file.path in self.footers:
                    continue
                footer = read_footer(self.store, file, datetime.now(UTC))
                if isinstance(footer, NotSeen):
                    self.trouble = footer.reason
                    continue
                self.rows += _rows(self.store, file, self.key)
                self.footers[file.path] = footer
                new += 1
        except Refused as error:
            self.trouble = str(error)
        return new

    def has(self, number: int) -> bool:
        return any(row.number == number for row in self.rows)

    def loaded(self) -> bool:
        """Is a row of the first batch here, by whichever way?"""
        return any(row.number < LATER for row in self.rows)

    def done(self) -> bool:
        return self.has(LAST)

    def newest(self, *, load: bool) -> Footer | None:
        """The newest file of a kind."""
        kind = [f for f in self.footers.values() if bool(LOAD.fullmatch(f.path.rpartition("/")[2])) is load]
        return max(kind, key=lambda f: (f.modified, f.path), default=None)


def wait(watches: list[Watch], until: Callable[[Watch], bool], pause: Callable[[], bool]) -> None:
    """Look again and again until all are there, or `pause` says that the time is up."""
    while True:
        for item in watches:
            item.look()
        if all(until(item) for item in watches) or not pause():
            return


def _rows(store: Store, file: File, key: str) -> list[Arrived]:
    import pyarrow.parquet as pq

    with store.open(file) as opened:
        table = pq.ParquetFile(opened).read()
    columns = {name: _cells(table.column(name).combine_chunks()) for name in table.column_names}
    load = bool(LOAD.fullmatch(file.name))
    found = []
    for index in range(table.num_rows):
        cells = {name: column[index] for name, column in columns.items()}
        number, op = cells.get(key), cells.get(OP)
        if number is not None:
            found.append(Arrived(int(number.value), op.text if op else None, load, cells, file.path))
    return found


def _cells(column: Any) -> list[Cell | None]:
    """Times become microseconds by their integers: Python has no year 0 and no year 10000."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_date32(kind):
        factor = 86_400_000_000 if pa.types.is_date32(kind) else _MICROS[kind.unit]
        plain = column.cast(pa.timestamp(kind.unit)) if pa.types.is_timestamp(kind) else column
        whole = plain.cast(pa.int64() if kind.bit_width == 64 else pa.int32())
        values = [None if v is None else v * factor for v in whole.to_pylist()]
        texts = _texts(plain, values)
    else:
        values = column.to_pylist()
        texts = ["\\x" + v.hex() if isinstance(v, bytes) else str(v) for v in values]
    return [None if v is None else Cell(t, v) for t, v in zip(texts, values, strict=True)]


def _texts(column: Any, values: list[int | None]) -> list[str]:
    """Arrow's own spelling; microseconds where it has none (a year beyond its calendar)."""
    import pyarrow as pa

    try:
        return [str(text) for text in column.cast(pa.string()).to_pylist()]
    except pa.ArrowException:
        return [f"{value} microseconds" for value in values]
