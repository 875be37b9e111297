"""SNOWFLAKE.ACCOUNT_USAGE: the three views that driftguard reads, without their latency.

"POLICY_REFERENCES view", "TAG_REFERENCES view", "OBJECT_DEPENDENCIES view" and "SNOWFLAKE database roles" on
docs.snowflake.com. ACCOUNTADMIN sees them; other roles need a database role of the SNOWFLAKE database.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Located, Table, Thing, View
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.information_schema import Answer
from driftguard.sandbox.snowflake.listing import Row, fields
from driftguard.sandbox.snowflake.names import QName
from driftguard.sandbox.snowflake.parsing import parse


def asked_for(ex: Execution, name: QName) -> Answer | None:
    """The view, if the name is one of ACCOUNT_USAGE's."""
    if len(name.parts) != 3 or name.parts[:2] != ("SNOWFLAKE", "ACCOUNT_USAGE"):
        return None
    found = _VIEWS.get(name.parts[-1])
    if found is None or not ex.grants.account_usage(ex.role) & {found[0], "ALL"}:
        raise errors.compilation(2003, "42S02", f"Object '{'.'.join(name.parts)}' does not exist or not authorized.")
    return found[1](ex)


def _policies(ex: Execution) -> Answer:
    known = {
        one.thing.id: one for kind in ("MASKING POLICY", "ROW ACCESS POLICY") for one in ex.catalog.everything(kind)
    }
    rows: list[Row] = []

    def add(table: Located[Thing], policy_id: int, column: str | None) -> None:
        policy = known[policy_id]
        rows.append(
            (
                policy.database.name,
                policy.schema.name,
                policy.thing.id,
                policy.thing.name,
                policy.thing.kind.replace(" ", "_"),
                table.database.name,
                table.schema.name,
                table.thing.name,
                "TABLE",
                column,
                None,
                None,
                None,
                None,
                "ACTIVE",
            )
        )

    for one in ex.catalog.everything("TABLE"):
        assert isinstance(one.thing, Table)
        if one.thing.row_policy is not None:
            add(one, one.thing.row_policy, None)
        for column in one.thing.columns:
            if column.masking_policy is not None:
                add(one, column.masking_policy, column.name)
    return fields(
        "POLICY_DB POLICY_SCHEMA POLICY_ID# POLICY_NAME POLICY_KIND REF_DATABASE_NAME REF_SCHEMA_NAME REF_ENTITY_NAME "
        "REF_ENTITY_DOMAIN REF_COLUMN_NAME REF_ARG_COLUMN_NAMES TAG_DATABASE TAG_SCHEMA TAG_NAME POLICY_STATUS"
    ), rows


def _tags(ex: Execution) -> Answer:
    known = {one.thing.id: one for one in ex.catalog.everything("TAG")}
    rows: list[Row] = []
    for one in ex.catalog.everything("TABLE"):
        assert isinstance(one.thing, Table)
        for position, column in enumerate(one.thing.columns, start=1):
            for tag_id, value in column.tags.items():
                tag = known.get(tag_id)
                if tag is None:
                    continue  # the tag was dropped
                rows.append(
                    (
                        tag.database.name,
                        tag.schema.name,
                        tag_id,
                        tag.thing.name,
                        value,
                        one.database.name,
                        one.schema.name,
                        one.thing.id,
                        one.thing.name,
                        None,
                        "COLUMN",
                        position,
                        column.name,
                        "MANUAL",
                    )
                )
    return fields(
        "TAG_DATABASE TAG_SCHEMA TAG_ID# TAG_NAME TAG_VALUE OBJECT_DATABASE OBJECT_SCHEMA OBJECT_ID# OBJECT_NAME "
        "OBJECT_DELETED@ DOMAIN COLUMN_ID# COLUMN_NAME APPLY_METHOD"
    ), rows


def _dependencies(ex: Execution) -> Answer:
    rows: list[Row] = []

    def add(found: Located[Thing] | None, reader: Located[Thing], domain: str, by: str) -> None:
        if found is not None:
            rows.append(
                (
                    found.database.name,
                    found.schema.name,
                    found.thing.name,
                    found.thing.id,
                    found.thing.kind,
                    reader.database.name,
                    reader.schema.name,
                    reader.thing.name,
                    reader.thing.id,
                    domain,
                    by,
                )
            )

    for one in ex.catalog.everything("VIEW"):
        assert isinstance(one.thing, View)
        tree = parse(one.thing.query)
        aliases = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            name = [part.name for part in table.parts]
            if name == [table.name] and table.name in aliases:
                continue
            full = [one.database.name, one.schema.name][: 3 - len(name)] + name
            found = next((f for kind in ("TABLE", "VIEW") if (f := _find(ex, kind, full)) is not None), None)
            add(found, one, "VIEW", "BY_NAME")
    for stream in ex.catalog.everything("STREAM"):
        add(ex.catalog.by_id("TABLE", stream.thing.table_id), stream, "STREAM", "BY_ID")  # type: ignore[attr-defined]
    return fields(
        "REFERENCED_DATABASE REFERENCED_SCHEMA REFERENCED_OBJECT_NAME REFERENCED_OBJECT_ID# REFERENCED_OBJECT_DOMAIN "
        "REFERENCING_DATABASE REFERENCING_SCHEMA REFERENCING_OBJECT_NAME REFERENCING_OBJECT_ID# "
        "REFERENCING_OBJECT_DOMAIN DEPENDENCY_TYPE"
    ), list(dict.fromkeys(rows))


def _find(ex: Execution, kind: str, name: list[str]) -> Located[Thing] | None:
    return next(
        (one for one in ex.catalog.everything(kind) if [one.database.name, one.schema.name, one.thing.name] == name),
        None,
    )


_VIEWS: dict[str, tuple[str, Callable[[Execution], Answer]]] = {
    "POLICY_REFERENCES": ("GOVERNANCE_VIEWER", _policies),
    "TAG_REFERENCES": ("GOVERNANCE_VIEWER", _tags),
    "OBJECT_DEPENDENCIES": ("OBJECT_VIEWER", _dependencies),
}
