"""A project folder, a Snowflake stand-in with a password and roles, and a way to run commands in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import snowflake.connector
from click.testing import CliRunner, Result

import driftguard
from builders import RULES
from driftguard.cli import main
from driftguard.sandbox.snowflake.server import SnowflakeServer

PASSWORD = "a secret with blanks"
S3 = (
    'DataFormat = "parquet", BucketFolder = "dms", TimestampColumnName = "commit_ts", '
    "UseTaskStartTimeForFullLoadTimestamp = true"
)


@dataclass(frozen=True)
class Project:
    """A folder with driftguard.toml, and what it is connected to."""

    folder: Path
    aurora_url: str
    connection: dict[str, Any]

    def write(self, *more: str, **change: str) -> None:
        """driftguard.toml; `change` replaces one of its values, `more` is appended."""
        values = {
            "url": self.aurora_url,
            "connection": "test",
            "mappings": "dms/table-mappings.json",
            "s3": S3,
            "landing": "",
            "dir": "migrations",
        } | change
        text = (
            f'[aurora]\nurl = "{values["url"]}"\n'
            f'[snowflake]\nconnection = "{values["connection"]}"\nconnections_file = "connections.toml"\n'
            f'[landing]\ndatabase = "DB"\n{values["landing"]}\n[revisions]\ndir = "{values["dir"]}"\n'
            f'[[dms.task]]\nname = "shop"\ntable_mappings = "{values["mappings"]}"\ns3_settings = {{ {values["s3"]} }}\n'
        )
        (self.folder / "driftguard.toml").write_text("\n".join([text, *more]), encoding="utf-8")

    def connections(self, **change: object) -> None:
        """connections.toml with one connection, `test`."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in (self.connection | change).items()]
        path = self.folder / "connections.toml"
        path.write_text("\n".join(["[test]", *lines]) + "\n", encoding="utf-8")
        path.chmod(0o600)

    def mappings(self, content: object) -> None:
        path = self.folder / "dms" / "table-mappings.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    def aurora(self, *statements: str) -> None:
        with psycopg.connect(self.aurora_url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def snowflake(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the administrator; the rows of the last."""
        rows: list[tuple[Any, ...]] = []
        admin = self.connection | {"role": "ACCOUNTADMIN"}
        with snowflake.connector.connect(**admin) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = cursor.fetchall()
        return rows

    def run(self, *arguments: str, **environ: str) -> Result:
        """The command in this folder."""
        names = ("diff", "init", "demo", "sandbox")
        where = () if arguments[0] in names or "--config" in arguments else ("--dir", str(self.folder))
        return CliRunner().invoke(main, [arguments[0], *where, *arguments[1:]], env=environ)

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command in this folder, in a process of its own."""
        environ = os.environ | {"PYTHONPATH": str(Path(driftguard.__file__).parents[1])}
        return subprocess.run(
            [sys.executable, "-m", "driftguard", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=environ,
        )

    def refused(self, code: int, *arguments: str, **environ: str) -> str:
        """Run a command that must fail: its one line. Nothing on stdout, no traceback, no secret."""
        result = self.run(*arguments, **environ)
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("driftguard: ")
        assert "Traceback" not in line
        assert PASSWORD not in line
        return line


@pytest.fixture(scope="session")
def stand_in() -> Iterator[SnowflakeServer]:
    server = SnowflakeServer(passwords={"driftguard": PASSWORD})
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def project(
    tmp_path: Path, database: str, stand_in: SnowflakeServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """One that works: an empty Aurora database, and an empty database DB on Snowflake."""
    for name in ("PGHOST", "PGDATABASE", "PGUSER", "PGPASSWORD", "SNOWFLAKE_ACCOUNT", "DRIFTGUARD_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    connection = stand_in.connect_kwargs() | {"role": "SYSADMIN"}
    found = Project(tmp_path, database, connection)
    found.write()
    found.connections()
    found.mappings({"rules": RULES})
    found.snowflake(
        "CREATE OR REPLACE DATABASE DB",
        "GRANT OWNERSHIP ON DATABASE DB TO ROLE SYSADMIN",
        "GRANT DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER TO ROLE SYSADMIN",
        "GRANT DATABASE ROLE SNOWFLAKE.OBJECT_VIEWER TO ROLE SYSADMIN",
    )
    with snowflake.connector.connect(**connection) as session, session.cursor() as cursor:
        for statement in (
            "CREATE SCHEMA DB.STAGING",
            "CREATE SCHEMA DB.FINAL",
            f"CREATE STAGE DB.STAGING.DMS_STAGE URL = 'file://{tmp_path}/'",
        ):
            cursor.execute(statement)
    yield found
    found.snowflake("DROP DATABASE DB")


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with a table on Aurora."""
    project.aurora("CREATE SCHEMA shop", "CREATE TABLE shop.orders (id bigint PRIMARY KEY, note varchar(40))")
    return project
