"""DG425: an engine version of DMS with known losses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG425"
TITLE = "an engine version of DMS with known losses"
SEVERITY = Severity.WARNING


_GOOD = (3, 5)
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)*")


def find(context: Context) -> Iterator[Finding]:
    """AWS DMS release notes 3.4.3 to 3.5.0; what is not a version is not judged."""
    for task in context.tasks:
        match = _VERSION.fullmatch(task.engine_version)
        if match and (int(match[1]), int(match[2])) < _GOOD:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: its replication instance runs engine version {task.engine_version}",
                "before 3.5 the release notes name losses of this pipeline: LOB columns added during CDC stay empty, "
                "columns shift where another is dropped or LOBs are off, a resumed task can lose or repeat changes",
                "upgrade the replication instance, then compare the altered tables",
                place=on_task(task),
            )
