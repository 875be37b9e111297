"""One example of each kind of operation, with an estate that it is ready for."""

from __future__ import annotations

import dataclasses

from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeColumn, MergeSpec
from driftguard.model.snowflake import Estate, SfColumn, SfTable, SfType, Tag, Task
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import Operation
from driftguard.operations.columns import ColumnDef
from driftguard.operations.create_landing import CreateLanding
from driftguard.operations.drop_not_null import DropNotNull
from driftguard.operations.manual import Manual, ManualAfter
from driftguard.operations.predicate import Predicate, Wanted
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.operations.widen_column import WidenColumn

NUMBER = SfType("NUMBER", precision=38, scale=0)
TEXT = SfType("VARCHAR", length=134_217_728)
STAGING, FINAL = ObjectName("DB", "STAGING", 'odd "name"'), ObjectName("DB", "FINAL", "T")
TASK = ObjectName("DB", "STAGING", "T_MERGE")
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
ESTATE = Estate(tables=TABLES, tasks=(Task(TASK, "old body", "started"),))
WITH_NEW = dataclasses.replace(
    ESTATE, tables=(dataclasses.replace(TABLES[0], columns=(*TABLES[0].columns, SfColumn("NEW", TEXT))), TABLES[1])
)

MASK = ObjectName("DB", "G", "it's a mask")
# Forms of an operation that its case does not show
MORE: tuple[tuple[Operation, Estate], ...] = (
    (
        AddColumns(FINAL, (ColumnDef("NEW", TEXT, masking_policy=MASK, tags=(Tag(MASK, "it's"), Tag(TASK, ""))),)),
        ESTATE,
    ),
)

CASES: dict[str, tuple[Operation, Estate]] = {
    "add_columns": (AddColumns(FINAL, (ColumnDef("NEW", TEXT), ColumnDef("MORE", NUMBER))), ESTATE),
    "widen_column": (WidenColumn(FINAL, "C", TEXT), ESTATE),
    "drop_not_null": (DropNotNull(FINAL, ("C",)), ESTATE),
    "replace_merge": (ReplaceMerge(TASK, SPEC), WITH_NEW),
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
    "manual": (
        Manual("add NEW\nto T in its Terraform file", Predicate(Wanted.TABLE, FINAL, (ColumnDef("NEW", TEXT),))),
        ESTATE,
    ),
    "manual_after": (
        ManualAfter("take NEW out of the model", Predicate(Wanted.WITHOUT, STAGING, names=("NEW",))),
        ESTATE,
    ),
}
