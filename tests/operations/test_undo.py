"""The clone that is made before anything is lost."""

from __future__ import annotations

from driftguard.model.identifiers import ObjectName
from driftguard.operations.undo import undo

TABLE, CONTROL = ObjectName("DB", "FINAL", 'od"d'), ObjectName("DB", "DRIFTGUARD", "WATERMARK")


def test_the_name_depends_on_the_table_and_the_work_alone() -> None:
    """A second attempt finds the clone of the first, and two pieces of work on one table do not share one."""
    first = undo(TABLE, CONTROL, "drop A")
    assert first == undo(TABLE, CONTROL, "drop A")
    assert first.clone != undo(TABLE, CONTROL, "drop B").clone
    assert first.clone.schema == "DRIFTGUARD"


def test_a_long_name_stays_within_what_snowflake_takes() -> None:
    assert len(undo(ObjectName("DB", "FINAL", "x" * 255), CONTROL, "it").clone.name) <= 255


def test_final_is_restored_in_one_statement_and_staging_is_never_replaced_under_its_pipe() -> None:
    kept = undo(TABLE, CONTROL, "it")
    assert 'INSERT OVERWRITE INTO "DB"."FINAL"."od""d" SELECT * FROM "DB"."DRIFTGUARD"."UNDO_' in kept.restore
    assert kept.keep.sql.startswith("CREATE OR REPLACE TRANSIENT TABLE "), "transient tables have no permanent clone"
    staging = undo(ObjectName("DB", "STAGING", "T_CDC"), CONTROL, "it", replaceable=False)
    assert "OVERWRITE" not in staging.restore
    assert 'CLONE "DB"."STAGING"."T_CDC"' in staging.keep.sql
