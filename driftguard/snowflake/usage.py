"""What ACCOUNT_USAGE says about the tables: policies, tags, and who reads them. One statement each, for all tables.

These views answer for the whole account or not at all, where INFORMATION_SCHEMA.POLICY_REFERENCES takes a table a call
and leaves out what the role may not see. They are behind: policies and tags up to two hours, dependencies up to three.
Sources: docs.snowflake.com "POLICY_REFERENCES view", "TAG_REFERENCES view", "OBJECT_DEPENDENCIES view".
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from driftguard.model.catalog import Unseen
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import CONSUMERS, POLICIES, TAGS, Consumer, Estate, SfTable, Tag
from driftguard.snowflake.errors import number, text
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import literal

MASKING, ROW_ACCESS = "MASKING_POLICY", "ROW_ACCESS_POLICY"
Row = dict[str, Any]


def with_usage(session: Session, estate: Estate, database: str, schemas: Sequence[str]) -> Estate:
    """The estate with the policies and tags of its tables, and their consumers; what was refused is in `unseen`."""
    if not schemas:
        return estate
    listed = ", ".join(literal(schema) for schema in schemas)
    found: dict[str, list[Row]] = {}
    unseen = list(estate.unseen)
    for kind, sql in (
        (
            POLICIES,
            "SELECT POLICY_DB, POLICY_SCHEMA, POLICY_NAME, POLICY_KIND, REF_SCHEMA_NAME, REF_ENTITY_NAME, "
            "REF_COLUMN_NAME FROM SNOWFLAKE.ACCOUNT_USAGE.POLICY_REFERENCES "
            f"WHERE REF_DATABASE_NAME = {literal(database)} AND REF_SCHEMA_NAME IN ({listed})",
        ),
        (
            TAGS,
            "SELECT TAG_DATABASE, TAG_SCHEMA, TAG_NAME, TAG_VALUE, OBJECT_SCHEMA, OBJECT_NAME, COLUMN_NAME "
            "FROM SNOWFLAKE.ACCOUNT_USAGE.TAG_REFERENCES "
            f"WHERE OBJECT_DATABASE = {literal(database)} AND OBJECT_SCHEMA IN ({listed}) AND DOMAIN = 'COLUMN' "
            "AND OBJECT_DELETED IS NULL",
        ),
        (
            CONSUMERS,
            "SELECT REFERENCED_SCHEMA, REFERENCED_OBJECT_NAME, REFERENCING_DATABASE, REFERENCING_SCHEMA, "
            "REFERENCING_OBJECT_NAME, REFERENCING_OBJECT_DOMAIN FROM SNOWFLAKE.ACCOUNT_USAGE.OBJECT_DEPENDENCIES "
            f"WHERE REFERENCED_DATABASE = {literal(database)} AND REFERENCED_SCHEMA IN ({listed})",
        ),
    ):
        try:
            found[kind] = session.rows(sql)
        except Exception as error:
            if number(error) < 0:
                raise
            unseen.append(Unseen(f"{kind} in {database}", text(error)))
    return dataclasses.replace(
        estate,
        tables=_governed(estate, found.get(POLICIES, []), found.get(TAGS, [])),
        consumers=_consumers(database, found.get(CONSUMERS, [])),
        looked=tuple(sorted(found)),
        unseen=tuple(unseen),
    )


def _governed(estate: Estate, policies: Sequence[Row], tags: Sequence[Row]) -> tuple[SfTable, ...]:
    masks: dict[tuple[str, str, str], ObjectName] = {}
    rows: dict[tuple[str, str], ObjectName] = {}
    tagged: defaultdict[tuple[str, str, str], list[Tag]] = defaultdict(list)
    for row in policies:
        place = (str(row["REF_SCHEMA_NAME"]), str(row["REF_ENTITY_NAME"]))
        policy = ObjectName(str(row["POLICY_DB"]), str(row["POLICY_SCHEMA"]), str(row["POLICY_NAME"]))
        if row["POLICY_KIND"] == MASKING and row["REF_COLUMN_NAME"]:
            masks[(*place, str(row["REF_COLUMN_NAME"]))] = policy
        elif row["POLICY_KIND"] == ROW_ACCESS:
            rows[place] = policy
    for row in tags:
        tag = ObjectName(str(row["TAG_DATABASE"]), str(row["TAG_SCHEMA"]), str(row["TAG_NAME"]))
        column = (str(row["OBJECT_SCHEMA"]), str(row["OBJECT_NAME"]), str(row["COLUMN_NAME"]))
        tagged[column].append(Tag(tag, str(row["TAG_VALUE"] or "")))
    governed = {*rows, *(place[:2] for place in (*masks, *tagged))}
    return tuple(
        table
        if (table.name.schema, table.name.name) not in governed
        else dataclasses.replace(
            table,
            row_policy=rows.get((table.name.schema, table.name.name)),
            columns=tuple(
                dataclasses.replace(
                    column,
                    masking_policy=masks.get((table.name.schema, table.name.name, column.name)),
                    tags=tuple(sorted(tagged.get((table.name.schema, table.name.name, column.name), ()))),
                )
                for column in table.columns
            ),
        )
        for table in estate.tables
    )


def _consumers(database: str, rows: Sequence[Row]) -> tuple[Consumer, ...]:
    found = {
        Consumer(
            ObjectName(
                str(row["REFERENCING_DATABASE"]), str(row["REFERENCING_SCHEMA"]), str(row["REFERENCING_OBJECT_NAME"])
            ),
            str(row["REFERENCING_OBJECT_DOMAIN"]),
            ObjectName(database, str(row["REFERENCED_SCHEMA"]), str(row["REFERENCED_OBJECT_NAME"])),
        )
        for row in rows
        if row["REFERENCING_OBJECT_NAME"] and row["REFERENCED_OBJECT_NAME"]  # NULL: it has been dropped
    }
    return tuple(sorted(found, key=lambda c: (c.reads, c.name, c.domain)))
