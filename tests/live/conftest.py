"""A scratch database on a real account, made and dropped by the tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftguard.config import Config, load
from driftguard.snowflake.session import Session

NEEDED = ("DRIFTGUARD_LIVE_WAREHOUSE", "SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER")


@dataclass(frozen=True)
class Live:
    """A project folder whose landing database is the scratch database."""

    folder: Path
    database: str
    aurora_url: str

    @property
    def config(self) -> Config:
        return load(directory=self.folder)

    def rows(self, *statements: str) -> list[dict[str, Any]]:
        """Run statements in one session; the rows of the last."""
        found: list[dict[str, Any]] = []
        with Session.open(self.config, query_tag="driftguard live test") as session:
            for statement in statements:
                found = session.rows(statement)
        return found


@pytest.fixture
def live(tmp_path: Path, database: str) -> Iterator[Live]:
    """Skipped, with the names of the missing variables, where no account is configured."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no real Snowflake account: {', '.join(missing)} not set (docs/live-tests.md)")
    name = f"DRIFTGUARD_LIVE_{uuid.uuid4().hex[:10].upper()}"
    warehouse = os.environ["DRIFTGUARD_LIVE_WAREHOUSE"]
    (tmp_path / "driftguard.toml").write_text(
        f'[aurora]\nurl = "{database}"\n[snowflake]\nwarehouse = "{warehouse}"\n'
        f'[landing]\ndatabase = "{name}"\nwarehouse = "{warehouse}"\nschedule = "60 MINUTE"\n'
        "[policy.managed_by]\n"
        'pipe = "sql"\n'  # an internal stage sends no events: AUTO_INGEST is not for it
        '[[dms.task]]\nname = "live"\ntable_mappings = "mappings.json"\n'
        's3_settings = { DataFormat = "parquet", BucketFolder = "dms", TimestampColumnName = "dms_commit_ts", '
        "UseTaskStartTimeForFullLoadTimestamp = true }\n"
    )
    (tmp_path / "mappings.json").write_text(
        """{"rules": [
          {"rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include",
           "object-locator": {"schema-name": "shop", "table-name": "%"}},
          {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column",
           "rule-action": "add-column", "value": "dms_change_seq", "expression": "$AR_H_CHANGE_SEQ",
           "object-locator": {"schema-name": "%", "table-name": "%"},
           "data-type": {"type": "string", "length": 35}}]}"""
    )
    found = Live(tmp_path, name, database)
    found.rows(
        f"CREATE DATABASE \"{name}\" COMMENT = 'made by the live tests of driftguard; can be dropped'",
        f'CREATE SCHEMA "{name}"."STAGING"',
        f'CREATE SCHEMA "{name}"."FINAL"',
        f'CREATE STAGE "{name}"."STAGING"."DMS_STAGE"',
    )
    try:
        yield found
    finally:
        found.rows(f'DROP DATABASE IF EXISTS "{name}"')
