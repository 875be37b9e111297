"""A source database and a stand-in over it, and the files it wrote read back as rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from driftguard.emission.mappings import parse_mappings
from driftguard.model.settings import DmsTask, EndpointSettings, TaskSettings
from driftguard.sandbox.dms import DmsStandIn, Switches

EVERYTHING = {
    "rule-type": "selection",
    "rule-id": "1",
    "rule-action": "include",
    "object-locator": {"schema-name": "%", "table-name": "%"},
}
_NUMBERS = itertools.count(1)


def make_task(
    *rules: dict[str, Any], endpoint: EndpointSettings | None = None, settings: TaskSettings | None = None
) -> DmsTask:
    """A task over all tables, with further rules and settings; CDC rows are marked and timed unless said otherwise."""
    usual = EndpointSettings(include_op_for_full_load=True, timestamp_column_name="commit_ts")
    mappings = parse_mappings({"rules": [EVERYTHING, *rules]})
    return DmsTask("test", mappings, endpoint or usual, settings or TaskSettings())


def transformation(rule_id: str, target: str, action: str, **more: Any) -> dict[str, Any]:
    """A transformation rule over all tables, or over those of `locator`."""
    return {
        "rule-type": "transformation",
        "rule-id": rule_id,
        "rule-target": target,
        "rule-action": action,
        "object-locator": {"schema-name": "%", "table-name": "%"} | more.pop("locator", {}),
    } | more


@dataclass
class Source:
    """A source database, and what the stand-ins made of it."""

    url: str
    place: Path
    connection: psycopg.Connection[Any]
    made: list[DmsStandIn] = field(default_factory=list)

    task = staticmethod(make_task)
    rule = staticmethod(transformation)

    @property
    def lake(self) -> Path:
        return self.place / "lake"

    def run(self, *statements: str) -> None:
        """Executes statements, each in a transaction of its own."""
        for statement in statements:
            self.connection.execute(statement.encode())

    def dms(
        self, task_: DmsTask | None = None, switches: Switches | None = None, name: str | None = None
    ) -> DmsStandIn:
        name = name or f"task{next(_NUMBERS)}"
        stand_in = DmsStandIn(
            source_url=self.url,
            task=task_ or make_task(),
            lake=self.lake,
            state_dir=self.place / "state" / name,
            switches=switches or Switches(),
            name=name,
        )
        self.made.append(stand_in)
        return stand_in

    def files(self, table: str = "public/t", pattern: str = "*.parquet") -> list[Path]:
        """The files of a table by name: full load first, then CDC in order."""
        paths = (self.lake / "dms" / table).rglob(pattern)
        return sorted(paths, key=lambda path: (not path.name.startswith("LOAD"), path.name))

    def loaded(self, table: str = "public/t") -> list[dict[str, Any]]:
        return self._rows(self.files(table, "LOAD*.parquet"))

    def changes(self, table: str = "public/t") -> list[dict[str, Any]]:
        return self._rows([path for path in self.files(table) if not path.name.startswith("LOAD")])

    def schema(self, path: Path) -> dict[str, str]:
        """The columns of a file and their types, as a reader without further knowledge sees them."""
        return {entry.name: str(entry.type) for entry in pq.ParquetFile(path).schema_arrow}

    def _rows(self, paths: list[Path]) -> list[dict[str, Any]]:
        return [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]


@pytest.fixture
def source(database: str, tmp_path: Path) -> Iterator[Source]:
    with psycopg.connect(database, autocommit=True) as connection:
        found = Source(database, tmp_path, connection)
        yield found
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()"
        )
