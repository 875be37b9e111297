"""The files that make every other command work in a sandbox's folder unchanged."""

from __future__ import annotations

import os
from pathlib import Path

CONNECTION = "driftguard_sandbox"

# The change sequence is mapped from the first day: without it, changes of one transaction have no order of their own.
# The before-images too: without them, an update of a key leaves the old row in FINAL.
MAPPINGS = """\
{
  "rules": [
    {
      "rule-type": "selection", "rule-id": "1", "rule-name": "everything", "rule-action": "include",
      "object-locator": { "schema-name": "%", "table-name": "%" }
    },
    {
      "rule-type": "transformation", "rule-id": "2", "rule-name": "change sequence", "rule-target": "column",
      "rule-action": "add-column", "value": "dms_change_seq", "expression": "$AR_H_CHANGE_SEQ",
      "object-locator": { "schema-name": "%", "table-name": "%" },
      "data-type": { "type": "string", "length": 35 }
    },
    {
      "rule-type": "transformation", "rule-id": "3", "rule-name": "before-images of the keys", "rule-target": "column",
      "rule-action": "add-before-image-columns", "object-locator": { "schema-name": "%", "table-name": "%" },
      "before-image-def": { "column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only" }
    }
  ]
}
"""

_CONFIG = """\
# Written by `driftguard sandbox up`; yours to change. docs/configuration.md explains every key.

[aurora]
url = "{url}"

[snowflake]
connection = "{connection}"
connections_file = "connections.toml"

[landing]
database = "{database}"
warehouse = "LOADING"

[lake]
url = ".driftguard/lake"

[[dms.task]]
name = "sandbox"
table_mappings = "dms/table-mappings.json"

[dms.task.s3_settings]
DataFormat = "parquet"
BucketFolder = "dms"
TimestampColumnName = "dms_commit_ts"
UseTaskStartTimeForFullLoadTimestamp = true

[dms.task.task_settings.TargetMetadata]
LobMaxSize = 1024
"""

# What a footer of the DMS stand-in's files shows; for a real pipeline one of its own files has to say it.
_OBSERVED = """\
# What was seen in files of this pipeline. These rows win over the shipped type maps; docs/types.md explains them.

[[dms_to_parquet]]
match = { dms = ["DATETIME"] }
type = "TIMESTAMP({p})"
loss = "exact"
note = "not marked as adjusted to UTC"
source = "footer of a file of the sandbox's DMS stand-in"
proven_by = "footer sample"
"""

_CONNECTIONS = """\
[{connection}]
account = "sandbox"
host = "127.0.0.1"
port = {port}
protocol = "http"
user = "driftguard"
password = "sandbox"
role = "SYSADMIN"
warehouse = "LOADING"
database = "{database}"
"""


def write_files(directory: Path, aurora_url: str, port: int, database: str) -> None:
    """Write what is not there yet of driftguard.toml, the mappings and observed.toml; connections.toml always.

    What holds a password is for its owner alone (mode 0600): anybody on the machine can reach the loopback ports.
    """
    config = directory / "driftguard.toml"
    if not config.exists():
        write_private(config, _CONFIG.format(url=aurora_url, connection=CONNECTION, database=database))
    mappings = directory / "dms" / "table-mappings.json"
    if not mappings.exists():
        mappings.parent.mkdir(exist_ok=True)
        mappings.write_text(MAPPINGS, encoding="utf-8")
    observed = directory / "typemaps" / "observed.toml"
    if not observed.exists():
        observed.parent.mkdir(exist_ok=True)
        observed.write_text(_OBSERVED, encoding="utf-8")
    write_private(
        directory / "connections.toml", _CONNECTIONS.format(connection=CONNECTION, port=port, database=database)
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, not even while it is being written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        path.chmod(0o600)
        file.write(text)
