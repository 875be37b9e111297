"""The change that somebody else has to make, in the words of the tool that owns the object. Pure.

Sources: docs of the Terraform provider snowflakedb/snowflake, resources `snowflake_table`, `snowflake_pipe` and
`snowflake_file_format_parquet` (previews, all three); docs.getdbt.com "contract", "Configure incremental models".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from driftguard.model.identifiers import ObjectName
from driftguard.operations.columns import ColumnDef
from driftguard.operations.create_landing import FILE_FORMAT_OPTIONS
from driftguard.sql.snowflake import qualified, type_text

TERRAFORM, DBT = "terraform", "dbt"


def columns(owner: str, table: ObjectName, wanted: Sequence[ColumnDef], statements: Sequence[str]) -> str:
    """Give a table these columns, or those of them that it has these types. `statements` would do it in SQL."""
    names = ", ".join(c.name for c in wanted)
    if owner == TERRAFORM:
        return _text(f"{names} in the snowflake_table of {table}", (line for c in wanted for line in _column(c)))
    if owner == DBT:
        lines = [
            "columns:",
            *(line for c in wanted for line in (f"  - name: {_yaml(c.name)}", f"    data_type: {type_text(c.type)}")),
        ]
        lines += _masks(wanted)
        return _text(
            f"{names} in the dbt model of {table}: select them, and in its properties",
            [*lines, "# an incremental model also needs on_schema_change: append_new_columns, or a full refresh"],
        )
    return sql(f"{names} in {table}", statements)


def table(owner: str, name: ObjectName, wanted: Sequence[ColumnDef], statements: Sequence[str]) -> str:
    """Make a table."""
    if owner == TERRAFORM:
        body = [*_place(name), *(f"  {line}" for c in wanted for line in _column(c))]
        return _text(f"make the table {name}", _resource("snowflake_table", name, body))
    if owner == DBT:
        return columns(owner, name, wanted, statements)
    return sql(f"make the table {name}", statements)


def pipe(owner: str, name: ObjectName, copy: str, statements: Sequence[str]) -> str:
    """Make a pipe with this COPY statement."""
    if owner == TERRAFORM:
        body = [*_place(name), "  auto_ingest    = true", f"  copy_statement = {_hcl(copy)}"]
        return _text(f"make the pipe {name}", _resource("snowflake_pipe", name, body))
    return sql(f"make the pipe {name}", statements)


def file_format(owner: str, name: ObjectName, statements: Sequence[str]) -> str:
    """Make the file format."""
    if owner == TERRAFORM:
        options = [
            f"  {key.lower()} = {'[]' if value == '()' else _hcl(value.lower())}"
            for key, value in FILE_FORMAT_OPTIONS
            if key != "TYPE"
        ]
        lines = _resource("snowflake_file_format_parquet", name, [*_place(name), *options])
        return _text(f"make the file format {name}", lines)
    return sql(f"make the file format {name}", statements)


def merge(owner: str, task: ObjectName, names: Sequence[str]) -> str:
    """Take columns into a merge that somebody else writes."""
    where = "the dbt model that merges" if owner == DBT else "the merge of"
    return f"take {', '.join(names)} into {where} {task} ({owner}): into its source, its UPDATE and its INSERT"


def sql(what: str, statements: Sequence[str]) -> str:
    return _text(what, [line for one in statements for line in f"{one};".split("\n")])


def _text(what: str, lines: Iterable[str]) -> str:
    return "\n".join([f"{what}:", *(f"  {line}" for line in lines)])


def _column(column: ColumnDef) -> list[str]:
    lines = ["column {", f"  name     = {_hcl(column.name)}", f"  type     = {_hcl(type_text(column.type))}"]
    lines.append(f"  nullable = {'false' if column.required else 'true'}")
    if column.masking_policy is not None:
        lines.append(f"  masking_policy = {_hcl(qualified(column.masking_policy))}")
    return [*lines, "}"]


def _masks(wanted: Sequence[ColumnDef]) -> list[str]:
    return [f"# {c.name} needs the masking policy {c.masking_policy}" for c in wanted if c.masking_policy is not None]


def _place(name: ObjectName) -> list[str]:
    return [
        f"  database = {_hcl(name.database)}",
        f"  schema   = {_hcl(name.schema)}",
        f"  name     = {_hcl(name.name)}",
    ]


def _resource(kind: str, name: ObjectName, body: Sequence[str]) -> list[str]:
    label = re.sub(r"[^a-z0-9_]", "_", name.name.lower())
    return [f'resource "{kind}" "{label if label[:1].isalpha() else f"_{label}"}" {{', *body, "}"]


def _hcl(text: str) -> str:
    """A string of Terraform's language: "${" and "%{" would begin a template."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain.replace("${", "$${").replace("%{", "%%{")}"'


def _yaml(text: str) -> str:
    return text if re.fullmatch(r"[A-Z_][A-Z0-9_]*", text) else "'" + text.replace("'", "''") + "'"
