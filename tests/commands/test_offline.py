"""SQL for an apply without a connection."""

from __future__ import annotations

from pathlib import Path

from driftguard.commands.offline import upgrade_sql
from driftguard.migrate.revision import Revision
from driftguard.operations.manual import Manual
from driftguard.operations.predicate import Predicate, Wanted
from operation_cases import FINAL


def test_what_others_have_to_do_is_a_comment_to_its_last_line(tmp_path: Path) -> None:
    """The patch can be SQL of its own, and must not run as part of the script."""
    text = "sql: C in T:\n  ALTER TABLE T ADD C DATE;"
    revision = Revision("r1", (), "m", (Manual(text, Predicate(Wanted.TABLE, FINAL)),), tmp_path / "r1.py")
    lines = "\n".join(upgrade_sql([revision], ["r1"], [])).split("\n")
    assert any("ALTER TABLE T" in line for line in lines)
    assert all(line.startswith("-- ") for line in lines if line)
