"""One example of each kind of operation, with an estate that it is ready for."""

from __future__ import annotations

import dataclasses

from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.merge import Default, Earlier, MergeColumn, MergeSpec, Projected
from driftguard.model.snowflake import (
    Estate,
    Milestone,
    Pipe,
    Procedure,
    SfColumn,
    SfTable,
    SfType,
    Stream,
    Tag,
    Task,
)
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.add_pipe import AddPipe
from driftguard.operations.await_marker import AwaitMarker, Becomes
from driftguard.operations.backfill import Backfill
from driftguard.operations.base import Operation
from driftguard.operations.change_consumption import ChangeConsumption
from driftguard.operations.columns import ColumnDef
from driftguard.operations.complete_change import CompleteChange
from driftguard.operations.copy_rows import CopyRows
from driftguard.operations.create_landing import CreateLanding
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.drop_not_null import DropNotNull
from driftguard.operations.manual import Manual, ManualAfter
from driftguard.operations.pipes import Folder
from driftguard.operations.predicate import Predicate, Wanted
from driftguard.operations.read_again import ReadAgain
from driftguard.operations.read_records import ReadRecords
from driftguard.operations.rekey_final import RekeyFinal
from driftguard.operations.rename import Rename
from driftguard.operations.replace_merge import Anew, ReplaceMerge
from driftguard.operations.replace_pipe import ReplacePipe
from driftguard.operations.rewrite_merge import Carried, Edit, RewriteMerge, digest, edited
from driftguard.operations.take_over import TakeOver
from driftguard.operations.widen_column import WidenColumn
from driftguard.sql.snowflake import literal

NUMBER = SfType("NUMBER", precision=38, scale=0)
TEXT = SfType("VARCHAR", length=134_217_728)
STAGING, FINAL = ObjectName("DB", "STAGING", 'odd "name"'), ObjectName("DB", "FINAL", "T")
TASK = ObjectName("DB", "STAGING", "T_MERGE")
STREAM = ObjectName("DB", "STAGING", 'it\'s a "stream"')
SPEC = MergeSpec(
    staging=STAGING,
    final=FINAL,
    watermark=ObjectName("DB", "DRIFTGUARD", "WATERMARK"),
    columns=(MergeColumn("ID", "ID", key=True), MergeColumn("NEW", "NEW")),
    op="OP",
    commit_time="COMMIT_TS",
)
TABLES = (
    SfTable(
        FINAL, (SfColumn("ID", NUMBER, nullable=False), SfColumn("C", SfType("VARCHAR", length=40), nullable=False))
    ),
    SfTable(STAGING, (SfColumn("ID", NUMBER), SfColumn("NEW", TEXT))),
)
# STAGING in record style: the names of the Parquet columns are hard on whoever writes SQL.
RECORD_SPEC = dataclasses.replace(
    SPEC,
    columns=(MergeColumn("ID", "ID", key=True), MergeColumn("NEW", "NEW", Cast.BOOLEAN)),
    record=(
        Projected("OP", TEXT, ("Op",)),
        Projected("COMMIT_TS", TEXT, ("commit_ts",)),
        Projected("ID", NUMBER, ('it\'s \\ the "id"', "id")),
        Projected("NEW", TEXT, ("new",)),
    ),
)
RECORD_STAGING = SfTable(
    STAGING,
    (SfColumn("_DG_RECORD", SfType("VARIANT")), *(SfColumn(n, TEXT) for n in ("_DG_FILE", "_DG_ROW", "_DG_LOADED_AT"))),
)
ESTATE = Estate(tables=TABLES, tasks=(Task(TASK, "old body", "started"),))
WITH_NEW = dataclasses.replace(
    ESTATE, tables=(dataclasses.replace(TABLES[0], columns=(*TABLES[0].columns, SfColumn("NEW", TEXT))), TABLES[1])
)

RECORD_ESTATE = dataclasses.replace(WITH_NEW, tables=(WITH_NEW.tables[0], RECORD_STAGING))
PIPE = ObjectName("DB", "STAGING", "T_PIPE")
ARRIVED = dataclasses.replace(
    WITH_NEW,
    pipes=(Pipe(PIPE, "COPY INTO …", state="RUNNING", pending=0),),
    markers=(Milestone("DB.FINAL.T:1:abc", "2026-01-01T00:00:00"),),
    captured_at="2026-01-01T01:00:00+00:00",
)

LATER = dataclasses.replace(
    ESTATE,
    tables=(
        dataclasses.replace(TABLES[0], columns=(*TABLES[0].columns, SfColumn("NEW", TEXT), SfColumn("LATER", TEXT))),
        TABLES[1],
    ),
)

MASK = ObjectName("DB", "G", "it's a mask")
SECOND = ObjectName("DB", "STAGING", "T_PIPE__NEW")
FOLDER = (ObjectName("DB", "STAGING", "S"), "new schema/t/", ObjectName("DB", "STAGING", "F"))
FED = dataclasses.replace(
    ESTATE,
    pipes=(
        Pipe(
            PIPE,
            Folder(STAGING, FOLDER[0], "it's old/t/", FOLDER[2]).copy,
            comment="it's the shop's",
            state="RUNNING",
            pending=0,
            error_integration="on error",
        ),
    ),
)
# A graph whose second task calls a procedure with a merge that somebody wrote, or has that merge itself.
BY_HAND = """MERGE INTO "DB"."FINAL"."T" t USING "DB"."STAGING"."odd ""name\""" s ON t.ID = s.ID
WHEN MATCHED THEN UPDATE SET C = s.NEW -- it's \\ old
"""
PROCEDURE = ObjectName("DB", "STAGING", "merge T")
ROOT = ObjectName("DB", "STAGING", "T_ROOT")
_BODY = f"\nBEGIN\n{BY_HAND};\n  RETURN 'it''s done';\nEND\n"
CALLED = dataclasses.replace(
    WITH_NEW,
    tasks=(
        Task(TASK, 'CALL "DB"."STAGING"."merge T"(1)', "started", predecessors=("DB.STAGING.T_ROOT",)),
        Task(ROOT, "SELECT 1", "started", schedule="1 MINUTE"),
    ),
    procedures=(
        Procedure(
            PROCEDURE,
            '(N NUMBER, "who" VARCHAR)',
            _BODY,
            "SQL",
            ddl='CREATE OR REPLACE SECURE PROCEDURE "DB"."STAGING"."merge T"("N" NUMBER(38,0), "who" VARCHAR)'
            f"\nRETURNS VARCHAR NOT NULL\nLANGUAGE SQL\nSTRICT\nCOMMENT='AS ''you'' like'\n"
            f"EXECUTE AS CALLER\nAS {literal(_BODY)};",
        ),
    ),
)
IN_TASK = dataclasses.replace(CALLED, tasks=(dataclasses.replace(CALLED.tasks[0], definition=BY_HAND), CALLED.tasks[1]))

# A pipe and a merge that people made, for driftguard to take over.
THEIRS = dataclasses.replace(
    WITH_NEW,
    tasks=(Task(TASK, BY_HAND, "started", schedule="1 MINUTE"),),
    pipes=(Pipe(PIPE, "COPY INTO …", comment="it's theirs", state="RUNNING", pending=0),),
)


def rewritten(text: str, procedure: ObjectName | None = None) -> RewriteMerge:
    """EXTRA comes to STAGING, and NEW is filled from it."""
    old = (_BODY if procedure else text).strip()
    edits = (Edit(old.index(" -- it's"), ", NEW = s.EXTRA"),)
    return RewriteMerge(
        TASK,
        STAGING,
        FINAL,
        digest(old),
        digest(edited(old, edits)),
        edits,
        (ROOT,),
        (Carried("NEW", "EXTRA"),),
        (ColumnDef("EXTRA", TEXT),),
        procedure,
        '(N NUMBER, "who" VARCHAR)' if procedure else "",
    )


# Forms of an operation that its case does not show
CASES: dict[str, tuple[Operation, Estate]] = {
    "add_columns": (AddColumns(FINAL, (ColumnDef("NEW", TEXT), ColumnDef("MORE", NUMBER))), ESTATE),
    "widen_column": (WidenColumn(FINAL, "C", TEXT), ESTATE),
    "drop_columns": (DropColumns(FINAL, ("C", "GONE"), SPEC.watermark), ESTATE),
    "drop_not_null": (DropNotNull(FINAL, ("C",)), ESTATE),
    "replace_merge": (ReplaceMerge(TASK, SPEC), WITH_NEW),
    "await_marker": (
        AwaitMarker(
            "DB.FINAL.T:1:abc",
            ObjectName("DB", "FINAL", "MARKER"),
            "NAME",
            SPEC.watermark,
            FINAL,
            STAGING,
            PIPE,
            ("shop", "t"),
            (Becomes("new", "text"),),
        ),
        ARRIVED,
    ),
    "backfill": (
        Backfill(
            "DB.FINAL.T:1:abc:NEW",
            FINAL,
            SPEC.watermark,
            ("ID",),
            MergeColumn("NEW", "NEW"),
            copied=Earlier("C", Cast.NONE),
            portions=2,
        ),
        WITH_NEW,
    ),
    "read_again": (
        ReadAgain("DB.FINAL.T:1:abc:again", "DB.FINAL.T:1:abc", TASK, SPEC, ("NEW",)),
        WITH_NEW,
    ),
    "read_records": (
        ReadRecords("DB.FINAL.T:1:abc:records", TASK, RECORD_SPEC, ("NEW",)),
        RECORD_ESTATE,
    ),
    "complete_change": (
        CompleteChange(TASK, SPEC, (Rename("C", "C__OLD"), Rename("NEW", "C"), Rename("LATER", "NEW"))),
        LATER,
    ),
    "copy_rows": (
        CopyRows(
            "DB.FINAL.T:1:abc:copied",
            ObjectName("DB", "FINAL", "WAS"),
            STAGING,
            TASK,
            SPEC,
            (Rename("ID", "ID"), Rename("OLD", "NEW")),
        ),
        dataclasses.replace(
            WITH_NEW,
            tables=(
                *WITH_NEW.tables,
                SfTable(ObjectName("DB", "FINAL", "WAS"), (SfColumn("ID", NUMBER), SfColumn("OLD", TEXT))),
            ),
        ),
    ),
    "rekey_final": (
        RekeyFinal("DB.FINAL.T:1:abc", TASK, PIPE, SPEC, "shop.t"),
        dataclasses.replace(WITH_NEW, pipes=ARRIVED.pipes),
    ),
    "change_consumption": (
        ChangeConsumption(TASK, dataclasses.replace(SPEC, stream=STREAM)),
        WITH_NEW,
    ),
    "create_landing": (
        CreateLanding(
            file_format=ObjectName("DB", "STAGING", "F"),
            stage=ObjectName("DB", "STAGING", "S"),
            path="shop/t/",
            staging=STAGING,
            staging_columns=(ColumnDef("ID", NUMBER), ColumnDef("NEW", TEXT)),
            final=FINAL,
            final_columns=(ColumnDef("ID", NUMBER, required=True), ColumnDef("NEW", TEXT)),
            key=("ID",),
            pipe=ObjectName("DB", "STAGING", "T_PIPE"),
            task=TASK,
            merge=SPEC,
        ),
        Estate(),
    ),
    "add_pipe": (AddPipe(SECOND, PIPE, FINAL, STAGING, *FOLDER), FED),
    "replace_pipe": (
        ReplacePipe(PIPE, SECOND, FINAL, STAGING, *FOLDER),
        AddPipe(SECOND, PIPE, FINAL, STAGING, *FOLDER).effect(FED),
    ),
    "rewrite_merge": (rewritten(BY_HAND, PROCEDURE), CALLED),
    "take_over": (
        TakeOver(
            TASK,
            digest(BY_HAND),
            dataclasses.replace(SPEC, stream=STREAM, change_seq="SEQ"),
            PIPE,
            *FOLDER,
            add_to_staging=(ColumnDef("_DG_FILE", TEXT),),
            replace_pipe=True,
            only_theirs=("C",),
        ),
        THEIRS,
    ),
    "manual": (
        Manual("add NEW\nto T in its Terraform file", Predicate(Wanted.TABLE, FINAL, (ColumnDef("NEW", TEXT),))),
        ESTATE,
    ),
    "manual_after": (
        ManualAfter("take NEW out of the model", Predicate(Wanted.WITHOUT, STAGING, names=("NEW",))),
        ESTATE,
    ),
}


def asleep(estate: Estate) -> Estate:
    """The same with its pipes paused."""
    return dataclasses.replace(estate, pipes=tuple(dataclasses.replace(p, state="PAUSED") for p in estate.pipes))


# Casts that only a change of type needs.
CONVERSIONS = (
    Cast.TEXT, Cast.DOUBLE, Cast.SCALE, Cast.INTEGER, Cast.NOT_ZERO, Cast.MIDNIGHT, Cast.ISO_DAY, Cast.DAY, Cast.ZONED,
    Cast.LOCAL,
)  # fmt: skip
_LANDING = CASES["create_landing"][0]
assert isinstance(_LANDING, CreateLanding)
MORE: tuple[tuple[Operation, Estate], ...] = (
    (rewritten(BY_HAND), IN_TASK),
    (
        dataclasses.replace(_LANDING, merge=dataclasses.replace(SPEC, stream=STREAM)),
        Estate(),
    ),
    (
        ChangeConsumption(TASK, dataclasses.replace(SPEC, stream=STREAM)),
        dataclasses.replace(WITH_NEW, streams=(Stream(STREAM, None, "APPEND_ONLY", stale=True),)),
    ),
    (
        ChangeConsumption(TASK, SPEC, gone=STREAM),
        dataclasses.replace(
            WITH_NEW,
            streams=(Stream(STREAM, STAGING, "APPEND_ONLY"),),
            tasks=(Task(TASK, "old body", "started", condition="SYSTEM$STREAM_HAS_DATA('s')"),),
        ),
    ),
    (dataclasses.replace(_LANDING, procedure=ObjectName("DB", "STAGING", "DG_MERGE")), Estate()),
    (
        ReplaceMerge(TASK, SPEC),
        dataclasses.replace(
            WITH_NEW, tasks=tuple(dataclasses.replace(one, text_of="DB.FINAL.it's") for one in WITH_NEW.tasks)
        ),
    ),
    *((CASES[kind][0], asleep(CASES[kind][1])) for kind in ("add_pipe", "replace_pipe")),
    (ReplaceMerge(TASK, RECORD_SPEC), RECORD_ESTATE),
    (dataclasses.replace(CASES["copy_rows"][0], merge=RECORD_SPEC), CASES["copy_rows"][1]),  # type: ignore[type-var]
    (
        dataclasses.replace(  # type: ignore[type-var]
            CASES["create_landing"][0],
            record=True,
            merge=RECORD_SPEC,
            staging_columns=tuple(ColumnDef(c.name, c.type) for c in RECORD_STAGING.columns),
        ),
        Estate(),
    ),
    (
        AddColumns(FINAL, (ColumnDef("NEW", TEXT, masking_policy=MASK, tags=(Tag(MASK, "it's"), Tag(TASK, ""))),)),
        ESTATE,
    ),
    (
        ReplaceMerge(TASK, SPEC, anew=(Anew(ColumnDef("NEW", NUMBER), "NEW__OLD"),), pipe=PIPE),
        dataclasses.replace(WITH_NEW, pipes=ARRIVED.pipes),
    ),
    (
        CASES["rekey_final"][0],
        dataclasses.replace(
            WITH_NEW,
            tables=(
                dataclasses.replace(
                    WITH_NEW.tables[0],
                    primary_key=("C",),
                    columns=tuple(dataclasses.replace(c, nullable=False) for c in WITH_NEW.tables[0].columns),
                ),
                WITH_NEW.tables[1],
            ),
        ),
    ),
    (
        Backfill(
            "labels",
            FINAL,
            SPEC.watermark,
            ("ID",),
            MergeColumn("C", "C"),
            labels=(Rename("it's", "is it"),),
            portions=1,
        ),
        ESTATE,
    ),
    (
        Backfill(
            "default",
            FINAL,
            SPEC.watermark,
            ("ID",),
            MergeColumn("C", "C", marker="m", since=True),
            default=Default("it's", TEXT),
            nullable=True,
        ),
        ESTATE,
    ),
    *(
        (
            Backfill(
                f"by {cast}",
                FINAL,
                SPEC.watermark,
                ("ID",),
                MergeColumn("NEW", "NEW"),
                copied=Earlier("C", cast, scale=4, zone="Europe/Berlin"),
            ),
            WITH_NEW,
        )
        for cast in CONVERSIONS
    ),
)
