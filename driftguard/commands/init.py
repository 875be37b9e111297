"""`driftguard init`: a first driftguard.toml, a folder for revisions, and one for overrides. Never overwrites."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from driftguard.config import FILE_NAME
from driftguard.errors import UsageError
from driftguard.resources import data_dir

_CONFIG = """\
# driftguard: docs/configuration.md explains every key.

[aurora]
# Leave `url` out to use PGHOST, PGDATABASE, PGUSER … or a service file. Never write a password in here.
# url = "postgresql://reader@my-cluster.cluster-abc.eu-west-1.rds.amazonaws.com/shop"
# schemas = ["shop"]
migrations = "db/migrations"

[snowflake]
# The name of a connection in connections.toml; without it the SNOWFLAKE_* variables are used.
connection = "driftguard"

[landing]
database = "ANALYTICS"
staging_schema = "STAGING"
final_schema = "FINAL"
stage = "DMS_STAGE"          # its URL ends at the BucketFolder of the DMS endpoint
# warehouse = "LOADING"      # of the merge tasks; without it they are serverless

# Or everything from AWS, without the lines below: arn = "arn:aws:dms:…:task:…" (pip install driftguard[aws])
[[dms.task]]
name = "shop"
table_mappings = "dms/table-mappings.json"   # as `aws dms describe-replication-tasks` prints it
s3_settings = { DataFormat = "parquet", BucketFolder = "dms", TimestampColumnName = "dms_commit_ts", \
UseTaskStartTimeForFullLoadTimestamp = true }
"""

_MAPPINGS = """\
{
  "rules": [
    {
      "rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include",
      "object-locator": { "schema-name": "shop", "table-name": "%" }
    },
    {
      "rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column",
      "rule-action": "add-column", "value": "dms_change_seq", "expression": "$AR_H_CHANGE_SEQ",
      "object-locator": { "schema-name": "%", "table-name": "%" },
      "data-type": { "type": "string", "length": 35 }
    },
    {
      "rule-type": "transformation", "rule-id": "3", "rule-name": "3", "rule-target": "column",
      "rule-action": "add-before-image-columns", "object-locator": { "schema-name": "%", "table-name": "%" },
      "before-image-def": { "column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only" }
    }
  ]
}
"""

_OVERRIDES = """\
# Your own decisions on types, each with a reason. The most particular wins: column, then table, then type.
#
# [[override]]
# column = "shop.orders.note"      # or: type = "citext", or both `table` and `type`
# final = "VARCHAR(134217728)"
# reason = "why the shipped map is not right here"
"""

_FILES = {
    FILE_NAME: _CONFIG,
    "dms/table-mappings.json": _MAPPINGS,
    "typemaps/overrides.toml": _OVERRIDES,
    "migrations/versions/.gitkeep": "",
}
# Brought along with the package: where they go, and what they are called there.
_ALEMBIC = {"alembic.ini": "alembic.ini", "migrations/env.py": "env.py", "migrations/script.py.mako": "script.py.mako"}


@dataclass(frozen=True, slots=True)
class InitResult:
    """Files that were written, and those that were there and were left alone."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def init(directory: Path) -> InitResult:
    """Write what is missing below `directory`. Raises `UsageError` where that cannot be written."""
    written, kept = [], []
    shipped = data_dir("migrations")
    alembic = {name: (shipped / file).read_text(encoding="utf-8") for name, file in _ALEMBIC.items()}
    for name, text in {**_FILES, **alembic}.items():
        path = directory / name
        if path.exists():
            kept.append(path)
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}", hint="name a folder that can be written") from None
        written.append(path)
    return InitResult(tuple(written), tuple(kept))
