"""The tables of the control schema, and how a statement on them becomes SQL.

Journal, revisions, watermarks, merged files and failed casts are INSERT-only: updates of one Snowflake table wait for
each other, and past about 20 waiters a statement fails. The lease is the one row that is updated; a downgrade, which
holds it, takes a row of the revisions out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snowflake.sqlalchemy import TIMESTAMP_LTZ, TIMESTAMP_NTZ, snowdialect
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.base import Executable

from driftguard.merge.stored import MergeText
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import UNBOUNDED_VARCHAR, Milestone
from driftguard.snowflake.errors import MISSING_OR_NOT_AUTHORIZED, number
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import literal as text_literal
from driftguard.sql.snowflake import qualified, schema_name

metadata = MetaData()

# Lower-case names in SQLAlchemy are unquoted in SQL, so that Snowflake stores them in upper case.
REVISION = Table(
    "revision",
    metadata,
    Column("revision", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("applied_at", TIMESTAMP_NTZ, nullable=False),
    Column("applied_by", String(256)),
)

JOURNAL = Table(
    "journal",
    metadata,
    Column("recorded_at", TIMESTAMP_NTZ, nullable=False),
    Column("run", String(64), nullable=False),
    Column("token", BigInteger),
    Column("revision", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("operation", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column(
        "event", String(16), nullable=False
    ),  # planned · skipped · started · done · failed · stamped · undo · undone
    Column("tag", String(256)),
    Column("sql_text", String(16_777_216)),
    Column("detail", String(16_777_216)),
    Column("sent_by", String(256)),  # the Snowflake user of a started statement: whose history it is in
    Column("holder", String(256)),  # who held the lease
)

WATERMARK = Table(
    "watermark",
    metadata,
    Column("landing", String(1024), nullable=False),
    Column("upto", TIMESTAMP_LTZ, nullable=False),
    Column("ran_at", TIMESTAMP_LTZ, nullable=False),
    Column("cast_failures", Integer),  # of this run; NULL where no cast of the landing can fail
)

# Which files a merge has taken, and when: a file is new to a run as long as it is not here. `merge/files.py` writes it.
MERGED_FILE = Table(
    "merged_file",
    metadata,
    Column("landing", String(1024), nullable=False),
    Column("run", String(64), nullable=False),
    Column("file_name", String(4096), nullable=False),
    Column("loaded_at", TIMESTAMP_LTZ, nullable=False),
    Column("from_commit", TIMESTAMP_NTZ),  # the oldest commit in the file
    Column("merged_at", TIMESTAMP_LTZ, nullable=False),
)

# A value that a merge could not cast, with its raw text. The merge writes it, `merge/failures.py` has the statement.
CAST_FAILURE = Table(
    "cast_failure",
    metadata,
    Column("landing", String(1024), nullable=False),
    Column("row_key", String(UNBOUNDED_VARCHAR)),  # the key as a JSON object of texts, as it was staged
    Column("column_name", String(1024), nullable=False),
    Column("raw", String(UNBOUNDED_VARCHAR)),
    Column("commit_time", TIMESTAMP_NTZ),
    Column("file_name", String(4096)),
    Column("file_row", BigInteger),
    Column("ran_at", TIMESTAMP_LTZ, nullable=False),
)

# The merges that are data: the newest text of a landing counts. `merge/stored.py` writes it.
MERGE_TEXT = Table(
    "merge_text",
    metadata,
    Column("landing", String(1024), nullable=False),
    Column("sql_text", String(UNBOUNDED_VARCHAR), nullable=False),
    Column("recorded_at", TIMESTAMP_NTZ, nullable=False),
)

# What the catalog cannot tell of a change: its marker has passed (`at` is the epoch), its old rows are filled.
MILESTONE = Table(
    "milestone",
    metadata,
    Column("name", String(1024), nullable=False),
    Column("at", TIMESTAMP_NTZ),
    Column("reached_at", TIMESTAMP_LTZ, nullable=False),
)

# Which columns of Aurora a landing was last in step with: a rename shows by it. The newest set of a landing counts.
LINEAGE = Table(
    "lineage",
    metadata,
    Column("landing", String(1024), nullable=False),
    Column("cluster", String(64), nullable=False),
    Column("database_oid", BigInteger, nullable=False),
    Column("table_schema", String(256), nullable=False),
    Column("table_name", String(256), nullable=False),
    Column("table_oid", BigInteger, nullable=False),
    Column("column_name", String(256), nullable=False),
    Column("attnum", Integer, nullable=False),
    Column("run", String(64), nullable=False),
    Column("recorded_at", TIMESTAMP_NTZ, nullable=False),
)

LEASE = Table(
    "lease",
    metadata,
    Column("name", String(64), nullable=False),
    Column("holder", String(256)),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", TIMESTAMP_NTZ, nullable=False),
)

# One statement, so that the row is there from the moment the table is, and only one of two first applies makes it.
_CREATE_LEASE = (
    "CREATE TABLE IF NOT EXISTS lease (name VARCHAR(64) NOT NULL, holder VARCHAR(256), token NUMBER(38,0) NOT NULL, "
    "expires_at TIMESTAMP_NTZ(9) NOT NULL) AS SELECT 'apply', NULL, 0, '1970-01-01 00:00:00'::TIMESTAMP_NTZ(9)"
)

# A control schema that an older driftguard made has no such columns. Source: docs.snowflake.com "ALTER TABLE".
_ADDED = (
    "ALTER TABLE watermark ADD COLUMN IF NOT EXISTS cast_failures INTEGER",
    "ALTER TABLE journal ADD IF NOT EXISTS sent_by VARCHAR(256), IF NOT EXISTS holder VARCHAR(256)",
)

_DIALECT = snowdialect.dialect()


def compiled(statement: Executable) -> tuple[str, Mapping[str, Any]]:
    """A SQLAlchemy statement as Snowflake SQL and its bound values."""
    result = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
    return str(result), dict(result.params)


def written_out(statement: Executable) -> str:
    """A statement as SQL text with its values in it, to stand inside a scripting block."""
    return filled(*compiled(statement))


def filled(sql: str, parameters: Mapping[str, Any]) -> str:
    """Compiled SQL with its values in it."""
    return sql % {
        key: value if isinstance(value, int) else text_literal(str(value)) for key, value in parameters.items()
    }


def block(*statements: str) -> str:
    """One request for many statements. Source: docs.snowflake.com "Understanding blocks in Snowflake Scripting"."""
    body = "\n".join(f"{sql};" for sql in statements)
    return f"BEGIN\n{body}\nEND"


def transaction(*statements: str) -> str:
    """One request, so that a cut leaves no open transaction behind. Source: docs.snowflake.com "Transactions"."""
    body = "\n".join(f"{sql};" for sql in statements)
    return f"BEGIN\nBEGIN TRANSACTION;\n{body}\nCOMMIT;\nEXCEPTION\nWHEN OTHER THEN\nROLLBACK;\nRAISE;\nEND"


def setup_statements(database: str, schema: str) -> tuple[str, str, str]:
    """What an `apply` runs before anything else, so that no merge runs without its tables; all can be run again.

    The schema, the step into it, and its tables.
    """
    area = schema_name(database, schema)
    return (f"CREATE SCHEMA IF NOT EXISTS {area}", f"USE SCHEMA {area}", block(*table_statements()))


def table_statements() -> tuple[str, ...]:
    """The tables of the control schema, in the current schema."""
    tables = (REVISION, JOURNAL, WATERMARK, MERGED_FILE, MERGE_TEXT, CAST_FAILURE, MILESTONE, LINEAGE)
    made = (str(CreateTable(table, if_not_exists=True).compile(dialect=_DIALECT)).strip() for table in tables)
    return (*made, *_ADDED, _CREATE_LEASE)


def applied_revisions(session: Session, database: str, schema: str) -> tuple[str, ...]:
    """Ids of the applied revisions; none where the control schema is not there or may not be read."""
    table = qualified(ObjectName(database, schema, "REVISION"))
    try:
        rows = session.rows(f"SELECT REVISION FROM {table}")
    except Exception as error:
        if number(error) in MISSING_OR_NOT_AUTHORIZED:
            return ()
        raise
    return tuple(sorted(str(row["REVISION"]) for row in rows))


def milestones(session: Session, database: str, schema: str) -> tuple[Milestone, ...]:
    """What the control schema has noted; nothing where it is not there or may not be read."""
    table = qualified(ObjectName(database, schema, "MILESTONE"))
    try:
        rows = session.rows(f"SELECT NAME, AT FROM {table} ORDER BY NAME")
    except Exception as error:
        if number(error) in MISSING_OR_NOT_AUTHORIZED:
            return ()
        raise
    return tuple(Milestone(str(row["NAME"]), row["AT"].isoformat() if row["AT"] else "") for row in rows)


def merge_texts(session: Session, database: str, schema: str) -> tuple[MergeText, ...]:
    """The newest text of each landing whose merge is data; nothing where there is no such table, or no right to it."""
    table = qualified(ObjectName(database, schema, "MERGE_TEXT"))
    try:
        rows = session.rows(f"SELECT LANDING, MAX_BY(SQL_TEXT, RECORDED_AT) AS SQL_TEXT FROM {table} GROUP BY LANDING")
    except Exception as error:
        if number(error) in MISSING_OR_NOT_AUTHORIZED:
            return ()
        raise
    return tuple(MergeText(str(row["LANDING"]), str(row["SQL_TEXT"])) for row in rows)


def use(session: Session, database: str, schema: str) -> None:
    """Make the control schema the session's current one; all other statements of driftguard name theirs in full."""
    session.execute(f"USE SCHEMA {schema_name(database, schema)}")


def run(session: Session, statement: Executable) -> int:
    """Execute a statement on the control tables; returns its row count."""
    sql, parameters = compiled(statement)
    return session.execute(sql, parameters)


def fetch(session: Session, statement: Executable) -> list[dict[str, Any]]:
    """Run a query on the control tables."""
    sql, parameters = compiled(statement)
    return session.rows(sql, parameters)
