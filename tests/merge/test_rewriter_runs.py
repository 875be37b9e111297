"""Rewritten hand-written merges run on the stand-in, and the new column arrives: inserted, and updated alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from driftguard.merge.byhand.read import read
from driftguard.merge.byhand.rewrite import Rewritten, rewrite
from driftguard.sql.snowflake import literal, quote
from tests.merge.byhand_cases import CASES, Case

# What the stand-in does not have, or what another object than the two tables would be needed for.
CANNOT_RUN = {
    "changes_clause_source": "CHANGES … AT",
    "copy_into_nested_try_cast": "files on a stage",
    "copy_select_without_list": "files on a stage",
    "envelope_before_after_pipe": "files on a stage",
    "merge_from_stage_files": "files on a stage",
    "pipe_projection_lower_keys": "files on a stage",
    "pipe_projection_quoted_keys": "files on a stage",
    "dbt_incremental_merge": "dbt",
    "dbt_merge_update_columns": "dbt",
    "dbt_snapshot_check_cols": "dbt",
    "dedupe_array_agg_object": "ARRAY_AGG of whole rows in an order",
    "hash_star_exclude": "HASH of a star",
    "insert_select_no_column_list": "a stream's METADATA$ columns",
    "stream_metadata_action": "a stream's METADATA$ columns",
    "stream_update_pairs": "a stream's METADATA$ columns",
    "joined_lookup_in_source": "a third table",
    "multi_table_insert": "INSERT ALL",
    "three_part_quoted_secure_view": "masking policies in a view",
    "view_over_staging_as_source": "comments in a view's column list",
    "values_expressions_casts_sequence": "a sequence with a schema in VALUES",
    "variant_extraction_raw_table": "the row is one VARIANT",
    "object_construct_pairs": "refused",
}
INSERT_ONLY = {"insert_only_merge"}
UPDATE_ONLY = {"update_only_merge"}
RUNNABLE = [case for case in CASES if case.expect == "rewrite" and case.name not in CANNOT_RUN]


def staged(name: str, type_: str, new: bool, change: int, json: bool = False) -> str:
    """A literal for a row of STAGING: the second row differs in operation, time and the new column."""
    kind = re.split(r"\W", type_.upper())[0]
    if kind.startswith("TIMESTAMP"):
        return f"'2024-0{change + 1}-02 03:04:05'"
    if new and json:
        return f"'{{\"a\": {change}}}'"
    if new:
        return {
            "NUMBER": str(7 + change),
            "FLOAT": str(7 + change),
            "BOOLEAN": ("TRUE", "FALSE")[change],
            "DATE": f"'2024-05-0{6 + change}'",
        }.get(kind, literal(f"2024-05-0{6 + change}"))
    if re.search(r"(^|_)OP$", name.upper()):
        return ("'I'", "'U'")[change]
    if name.endswith("SEQ"):
        return f"'{change + 1}'"
    if re.search(r"(^|_|COMMIT)(TS|TIME|TIMESTAMP|DTS|TXTS)$", name.upper()):
        return f"'2024-0{change + 1}-02 03:04:05'"
    plain = {"NUMBER": "1", "FLOAT": "1", "BOOLEAN": "TRUE", "DATE": "'2024-01-01'", "VARIANT": "PARSE_JSON('{}')"}
    return plain.get(kind, "'1'" if not re.search(r"(_AT|_ON|BORN)$", name.upper()) else "'2024-01-01'")


def statements(case: Case, text: str) -> Iterator[str]:
    """The SQL of the text, statement by statement, with the holes that templates leave for a database filled."""
    for sheet in read(text, case.language):
        for statement in sheet.statements:
            if statement.kind in ("call", "select") or any(
                into.parts[:1] == ("OPS",) for into in statement.intos if into.parts
            ):
                continue
            tokens = sheet.tokens[statement.span[0] : statement.span[1]]
            sql = sheet.fragment.text[tokens[0].start : tokens[-1].end]
            sql = re.sub(r"(\{\{.*?\}\}|\$\{.*?\}|\{db\})\.", "", sql)
            sql = re.sub(r"(?i)IDENTIFIER\((\$\w+)\)", lambda m: sheet.variables[m[1].upper()], sql)  # noqa: B023
            sql = re.sub(r"(?i)\bTEMP(ORARY)?\s+TABLE", "TABLE", sql)
            yield re.sub(r":P_FROM", "'2000-01-01'", sql)


class Bench:
    """The two tables of a case, in a database of its own."""

    def __init__(self, connection: Any, case: Case) -> None:
        self.cursor, self.case = connection.cursor(), case
        database = f"BYHAND_{case.name.upper()}"
        full = [t if len(t) == 3 else (database, *t) for t in (case.tables.staging, case.tables.final)]
        for name in dict.fromkeys((database, full[0][0], full[1][0])):
            self.run(f"CREATE OR REPLACE DATABASE {quote(name)}")
        self.run(f"USE DATABASE {quote(database)}")
        self.staging, self.final = (".".join(quote(part) for part in name) for name in full)
        for name in full:
            self.run(f"CREATE SCHEMA IF NOT EXISTS {quote(name[0])}.{quote(name[1])}")
        if "USE SCHEMA" in case.before:
            self.run(f"USE SCHEMA {quote(full[1][1])}")
        self.columns = case.tables.staging_columns | {a.staging: a.staging_type for a in case.added}
        finals = case.tables.final_columns | {a.final: a.final_type for a in case.added}
        for name, columns in ((self.staging, self.columns), (self.final, finals)):
            self.run(f"CREATE TABLE {name} ({', '.join(f'{quote(n)} {t}' for n, t in columns.items())})")
        for stream in case.tables.streams:
            self.run(f"CREATE VIEW {'.'.join(quote(part) for part in stream)} AS SELECT * FROM {self.staging}")

    def run(self, sql: str) -> list[Any]:
        return list(self.cursor.execute(sql).fetchall())

    def others(self, text: str) -> None:
        """The other tables of a text about several."""
        for table, columns in {
            "STAGING.ORDER_HEADS_CDC": "OP VARCHAR, COMMIT_TS VARCHAR, ORDER_ID NUMBER, STATE VARCHAR, QTY NUMBER",
            "FINAL.ORDER_HEADS": "ORDER_ID NUMBER, STATE VARCHAR, QTY NUMBER",
            **{f"{s}.{t}_CDC": "OP VARCHAR, COMMIT_TS VARCHAR, ID NUMBER, NAME VARCHAR" for s, t in _ROLES},
            **{f"{s}.{t}": "ID NUMBER, NAME VARCHAR" for s, t in (("FINAL", "GROUPS"), ("LEGACY", "ROLES"))},
        }.items():
            if table in text.upper():
                self.run(f"CREATE SCHEMA IF NOT EXISTS {table.split('.')[0]}")
                self.run(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")

    def change(self, text: str, number: int) -> list[Any]:
        """A row is staged (the older ones gone where nothing dedupes), the text is run: the new column in FINAL."""
        if self.case.name in ("no_aliases_at_all", "no_dedupe_append_stream"):
            self.run(f"DELETE FROM {self.staging}")
        new = {a.staging for a in self.case.added}
        json = any(a.final_type == "VARIANT" for a in self.case.added)
        values = ", ".join(staged(name, type_, name in new, number, json) for name, type_ in self.columns.items())
        self.run(f"INSERT INTO {self.staging} SELECT {values}")
        for sql in statements(self.case, text):
            self.run(sql)
        listed = ", ".join(quote(a.final) for a in self.case.added)
        return self.run(f"SELECT {listed} FROM {self.final}")


_ROLES = (("STAGING", "GROUPS"), ("STAGING_LEGACY", "ROLES"))


@pytest.mark.parametrize("case", RUNNABLE, ids=lambda case: case.name)
def test_the_new_column_arrives(connection: Any, case: Case) -> None:
    found = rewrite(case.before, case.language, case.tables, case.added)
    assert isinstance(found, Rewritten)
    bench = Bench(connection, case)
    bench.others(case.before)
    if case.name in UPDATE_ONLY:
        keys = ", ".join(quote(name) for name in case.tables.final_columns)
        values = ", ".join(staged(n, t, False, 0) for n, t in case.tables.final_columns.items())
        bench.run(f"INSERT INTO {bench.final} ({keys}) SELECT {values}")
        assert None not in bench.change(found.text, 1)[0]
        return
    before = Bench(connection, case)
    before.others(case.before)
    without = [] if "no_column_list" in case.name else before.change(case.before, 0)
    assert all(value is None for row in without for value in row[:1]) or case.name == "half_carried"
    bench = Bench(connection, case)
    bench.others(case.before)
    first = bench.change(found.text, 0)
    assert len(first) == 1 and None not in first[0]
    second = bench.change(found.text, 1)
    if case.name not in INSERT_ONLY:
        assert any(row != first[0] and None not in row for row in second)


def test_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nrewritten and run on the stand-in: {len(RUNNABLE)} of {len(RUNNABLE) + len(CANNOT_RUN)}")
    assert len(RUNNABLE) >= 75
    assert {case.name for case in CASES} >= set(CANNOT_RUN)
