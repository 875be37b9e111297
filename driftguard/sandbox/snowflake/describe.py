"""DESCRIBE TABLE, VIEW, PIPE, TASK, PROCEDURE, FILE FORMAT, STAGE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from driftguard.sandbox.snowflake import errors, show_objects
from driftguard.sandbox.snowflake.asked import Asked
from driftguard.sandbox.snowflake.catalog import Located, Procedure, Table
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.listing import fields
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import SHOW, Result
from driftguard.sandbox.snowflake.show import text_of


def describe(ex: Execution, reader: Reader) -> Result:
    """DESCRIBE TABLE | VIEW | PIPE | TASK | PROCEDURE | FILE FORMAT | STAGE."""
    reader.advance()
    if reader.accept("FILE", "FORMAT"):
        one = _found(ex, "FILE FORMAT", reader)
        rows = [
            (
                key,
                "Boolean" if isinstance(value, bool) else "List" if isinstance(value, list) else "String",
                _shown(value),
                _shown(value),
            )
            for key, value in {"TYPE": one.thing.type, **one.thing.options}.items()
        ]
        return Result(fields("property property_type property_value property_default"), list(rows), type_id=SHOW)
    if reader.accept("PIPE"):
        one = _found(ex, "PIPE", reader)
        return _only(show_objects.pipes(ex, Asked(one.database, one.schema)), one.thing.name)
    if reader.accept("TASK"):
        one = _found(ex, "TASK", reader)
        return Result(fields(show_objects.TASK_COLUMNS), [show_objects.task_row(ex, one)], type_id=SHOW)
    if reader.accept("STAGE"):
        one = _found(ex, "STAGE", reader)
        rows_ = [("STAGE_LOCATION", "URL", "String", f'["{one.thing.url}"]', "")]
        return Result(
            fields("parent_property property property_type property_value property_default"), list(rows_), type_id=SHOW
        )
    if reader.accept("PROCEDURE"):
        return _describe_procedure(ex, reader)
    kind = "VIEW" if reader.accept("VIEW") else "TABLE"
    _ = reader.accept("TABLE")
    name = reader.name()
    reader.accept("TYPE")
    if kind == "VIEW" or ex.lookup("TABLE", name) is None:
        raise errors.not_exists(kind, ".".join(ex.session.qualify(name)))
    table: Table = ex.find("TABLE", name).thing
    key = table.primary_key()
    unique = {one for found in table.constraints if found.kind == "UNIQUE" for one in found.columns}
    columns = [
        (
            column.name,
            column.type.sql,
            "COLUMN",
            "Y" if column.nullable else "N",
            column.default,
            "Y" if key is not None and column.name in key.columns else "N",
            "Y" if column.name in unique else "N",
            None,
            None,
            column.comment,
            None,
            None,
            None,
            column.evolution,
        )
        for column in table.columns
    ]
    text = (
        "name type kind null?? default primary_key unique_key check expression comment policy_name "
        "privacy_domain name_mapping schema_evolution_record"
    )
    shown = fields(text)
    shown = [
        replace(
            one,
            name=one.name.replace("primary_key", "primary key")
            .replace("unique_key", "unique key")
            .replace("policy_name", "policy name")
            .replace("privacy_domain", "privacy domain"),
        )
        for one in shown
    ]
    return Result(shown, list(columns), type_id=SHOW)


def _found(ex: Execution, kind: str, reader: Reader) -> Located[Any]:
    name = reader.name()
    reader.end()
    return ex.find(kind, name)


def _only(result: Result, name: str) -> Result:
    result.rows = [row for row in result.rows if row[1] == name]
    return result


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(str(one) for one in value) + "]"
    return text_of(value)


def _describe_procedure(ex: Execution, reader: Reader) -> Result:
    name = reader.name()
    reader.skip_parens()
    procedure: Procedure = ex.find("PROCEDURE", name).thing
    signature = "(" + ", ".join(f"{argument} {kind.name}" for argument, kind in procedure.arguments) + ")"
    rows = [
        ("signature", signature),
        ("returns", procedure.returns),
        ("language", procedure.language),
        ("execute as", procedure.execute_as),
        ("body", procedure.body),
    ]
    return Result(fields("property value"), list(rows), type_id=SHOW)
