"""One stand-in for all tests of this folder; a database of its own for each test."""

from __future__ import annotations

import itertools
import json
import os
import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector
from snowflake.connector.errors import Error

from driftguard.sandbox.snowflake import SnowflakeServer

_NUMBERS = itertools.count(1)


@dataclass
class Account:
    """A connection with a database of its own, and a lake."""

    server: SnowflakeServer
    connection: Any
    database: str
    lake: Path

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def dicts(self, sql: str) -> list[dict[str, Any]]:
        with self.connection.cursor(snowflake.connector.DictCursor) as cursor:
            cursor.execute(sql)
            rows: list[dict[str, Any]] = cursor.fetchall()
            return rows

    def fails(self, sql: str) -> Error:
        """The error that `sql` raises; a statement that succeeds fails the test."""
        with pytest.raises(Error) as caught:
            self.run(sql)
        return caught.value

    def other(self, **kwargs: Any) -> Account:
        """Another session, in the same database and schema."""
        given = {"database": self.database, "schema": "S", **kwargs}
        connection = snowflake.connector.connect(**self.server.connect_kwargs(), **given)
        return Account(self.server, connection, self.database, self.lake)

    def pump(self, **body: Any) -> dict[str, Any]:
        return pump(self.server, **body)

    def parquet(self, path: str, columns: dict[str, Any]) -> Path:
        target = self.lake / path
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), target)
        return target

    def types(self, table: str) -> dict[str, str]:
        """Column names and types as DESCRIBE shows them."""
        return {row[0]: row[1] for row in self.run(f"DESC TABLE {table}")}

    def stage(self) -> None:
        """A format that pins every option, and a stage over the lake."""
        self.run(
            "CREATE FILE FORMAT f TYPE = PARQUET USE_LOGICAL_TYPE = TRUE USE_VECTORIZED_SCANNER = TRUE "
            "BINARY_AS_TEXT = FALSE NULL_IF = ()"
        )
        self.run(f"CREATE STAGE st URL = '{self.lake.as_uri()}/'")


def pump(server: SnowflakeServer, **body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/sandbox/pump", data=json.dumps(body).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        out: dict[str, Any] = json.load(answer)
        return out


@pytest.fixture(scope="session")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def account(server: SnowflakeServer, tmp_path: Path) -> Iterator[Account]:
    database = f"DB{next(_NUMBERS)}"
    connection = snowflake.connector.connect(**server.connect_kwargs())
    lake = tmp_path / "lake"
    lake.mkdir()
    out = Account(server, connection, database, lake)
    out.run(f"CREATE DATABASE {database}")
    out.run("CREATE SCHEMA S")
    out.run("CREATE WAREHOUSE IF NOT EXISTS W")
    yield out
    if not connection.is_closed():
        out.run(f"DROP DATABASE IF EXISTS {database}")
        connection.close()


def _titles(heading: str) -> list[str] | None:
    """The first column of the table under `heading` in the page of facts that DRIFTGUARD_FACTS names."""
    name = os.environ.get("DRIFTGUARD_FACTS")
    if not name:
        return None
    section = Path(name).read_text(encoding="utf-8").split(heading, 1)[1]
    titles: list[str] = []
    for line in section.splitlines()[1:]:
        if line.startswith("#"):
            break
        if line.startswith("|") and not re.match(r"\|[-| ]+\|?$", line):
            titles.append(line.split("|")[1].strip())
        elif titles:
            break
    return titles[1:]


@pytest.fixture(scope="session")
def titles() -> Callable[[str], list[str] | None]:
    return _titles
