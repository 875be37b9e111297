"""The source database as the stand-in sees it: its connection, its catalog, and the objects that DMS would create.

Objects created: a replication slot; two publications, because PostgreSQL refuses every UPDATE and DELETE of a table
without a replica identity while it is in a publication that carries them: `…_rows` carries inserts and truncates of
all tables, `…_keyed` updates and deletes of the tables that have an identity; an event trigger that keeps the second up
to date in the transaction of each DDL, so that no update of a new table is missed; and, with CaptureDdls, the artefacts
of DMS itself, as "Using a PostgreSQL database as an AWS DMS source" describes them: the event trigger
`awsdms_intercept_ddl` and the table `awsdms_ddl_audit`, in which a row is written and deleted again at each DDL.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from driftguard.errors import UnreachableError
from driftguard.sandbox.dms.values import PgType

Connection = psycopg.Connection[TupleRow]

_SESSION = (
    ("datestyle", "ISO, YMD"),
    ("timezone", "UTC"),
    ("intervalstyle", "iso_8601"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    ("statement_timeout", "0"),
    ("application_name", "driftguard sandbox DMS"),
)
"""Settings under which PostgreSQL turns values to text, the same for full load and WAL."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the catalog. `virtual`: generated when read, so never in the WAL."""

    name: str
    type_oid: int
    typmod: int
    attnum: int
    key: bool
    virtual: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table that DMS could read. `kind`: r table, p partitioned table, partition a leaf of one."""

    oid: int
    schema: str
    name: str
    kind: Literal["table", "partitioned", "partition"]
    identity: bool
    columns: tuple[Column, ...]

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)


@dataclass(frozen=True, slots=True)
class Objects:
    """The names of what the stand-in creates in the source for one task."""

    slot: str
    rows: str
    keyed: str
    trigger: str

    @classmethod
    def of(cls, task: str) -> Objects:
        readable = re.sub(r"[^a-z0-9]+", "_", task.lower()).strip("_")[:20]
        base = f"driftguard_{readable}_{hashlib.sha256(task.encode()).hexdigest()[:8]}"
        return cls(slot=base, rows=f"{base}_rows", keyed=f"{base}_keyed", trigger=f"{base}_publish")


def connect(url: str) -> Connection:
    """A connection in autocommit whose session gives every value the same text. Raises UnreachableError."""
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise UnreachableError(
            f"the source database does not answer: {str(error).splitlines()[0]}", hint="check its URL, and that it runs"
        ) from None
    for name, value in _SESSION:
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    return connection


def _one(connection: Connection, query: LiteralString) -> TupleRow:
    row = connection.execute(query).fetchone()
    if row is None:
        raise UnreachableError(f"the source gives no answer to {query}")
    return row


# --- what is created in the source ----------------------------------------------------------------------------------


def prepare(connection: Connection, objects: Objects, *, schema: str, audit: bool) -> None:
    """Creates publications, event triggers and the slot, in this order; what is there already stays.

    `schema` is where functions go, and with `audit` the DDL artefacts of DMS; it is created if need be. Raises
    UnreachableError where the server or the role does not allow it.
    """
    (level,) = _one(connection, "SELECT current_setting('wal_level')")
    (version,) = _one(connection, "SELECT current_setting('server_version_num')::int")
    if level != "logical":
        raise UnreachableError(
            f"the source has wal_level = {level}, and nothing can be read from its WAL",
            hint="set wal_level = logical (on RDS: rds.logical_replication = 1) and restart it",
        )
    try:
        with connection.transaction():
            _create_publications(connection, objects, generated=version >= 180000)
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            _create_keeper(connection, objects, schema)
            if audit:
                _create_audit(connection, schema)
        if (
            connection.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", (objects.slot,)).fetchone()
            is None
        ):
            connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (objects.slot,))
    except psycopg.errors.InsufficientPrivilege as error:
        raise UnreachableError(
            f"the role may not set up change capture: {str(error).splitlines()[0]}",
            hint="the sandbox needs a superuser of the source, or rds_superuser with rds_replication",
        ) from None


def _create_publications(connection: Connection, objects: Objects, *, generated: bool) -> None:
    # A generated stored column is in the stream of the plug-ins that DMS uses; pgoutput has it since PostgreSQL 18.
    more = sql.SQL(", publish_generated_columns = 'stored'" if generated else "")
    present = {row[0] for row in connection.execute("SELECT pubname FROM pg_publication")}
    if objects.rows not in present:
        connection.execute(
            sql.SQL("CREATE PUBLICATION {} FOR ALL TABLES WITH (publish = 'insert, truncate'{})").format(
                sql.Identifier(objects.rows), more
            )
        )
    if objects.keyed not in present:
        connection.execute(
            sql.SQL("CREATE PUBLICATION {} WITH (publish = 'insert, update, delete'{})").format(
                sql.Identifier(objects.keyed), more
            )
        )


_IDENTIFIED = """
SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (c.relreplident = 'f' OR EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = c.oid
    AND (c.relreplident = 'd' AND i.indisprimary AND i.indimmediate OR c.relreplident = 'i' AND i.indisreplident)))
"""


def _create_keeper(connection: Connection, objects: Objects, schema: str) -> None:
    """The event trigger that holds the publication of updates to the tables that have a replica identity."""
    body = sql.SQL(
        """
        DECLARE
          _table record;
        BEGIN
          FOR _table IN
            SELECT coalesce(w.oid, h.prrelid)::regclass AS name, w.oid IS NOT NULL AS wanted
            FROM ({wanted}) w FULL JOIN
              (SELECT r.prrelid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
               WHERE p.pubname = {name}) h ON h.prrelid = w.oid
            WHERE w.oid IS NULL OR h.prrelid IS NULL
          LOOP
            EXECUTE format('ALTER PUBLICATION %I %s TABLE ONLY %s', {name},
                           CASE WHEN _table.wanted THEN 'ADD' ELSE 'DROP' END, _table.name);
          END LOOP;
        END
        """
    ).format(wanted=sql.SQL(_IDENTIFIED), name=sql.Literal(objects.keyed))
    text = body.as_string(connection)
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {}() RETURNS event_trigger LANGUAGE plpgsql "
            "SECURITY DEFINER SET search_path = pg_catalog AS {}"
        ).format(sql.Identifier(schema, objects.trigger), sql.Literal(text))
    )
    connection.execute(sql.SQL("DROP EVENT TRIGGER IF EXISTS {}").format(sql.Identifier(objects.trigger)))
    connection.execute(
        sql.SQL(
            "CREATE EVENT TRIGGER {} ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', "
            "'SELECT INTO', 'ALTER TABLE', 'CREATE SCHEMA') EXECUTE FUNCTION {}()"
        ).format(sql.Identifier(objects.trigger), sql.Identifier(schema, objects.trigger))
    )
    connection.execute(sql.SQL("ALTER EVENT TRIGGER {} ENABLE ALWAYS").format(sql.Identifier(objects.trigger)))
    # The tables that are there already: any CREATE TABLE runs the trigger once.
    connection.execute("CREATE TEMPORARY TABLE driftguard_wake_up () ON COMMIT DROP")


def _create_audit(connection: Connection, schema: str) -> None:
    """The DDL artefacts that DMS creates. Their table is always empty: DMS reads the inserts from the WAL."""
    place = sql.Identifier(schema)
    connection.execute(
        sql.SQL(
            "CREATE TABLE IF NOT EXISTS {}.awsdms_ddl_audit (c_key bigserial PRIMARY KEY, c_time timestamp, "
            "c_user varchar(64), c_txn varchar(16), c_tag varchar(24), c_oid integer, c_name varchar(64), "
            "c_schema varchar(64), c_ddlqry text)"
        ).format(place)
    )
    body = sql.SQL(
        """
        BEGIN
          IF tg_tag IN ('CREATE TABLE', 'ALTER TABLE', 'DROP TABLE', 'CREATE TABLE AS') THEN
            INSERT INTO {0}.awsdms_ddl_audit (c_time, c_user, c_txn, c_tag, c_oid, c_name, c_schema, c_ddlqry)
            VALUES (now(), session_user, pg_current_xact_id()::text, tg_tag, 0, '', current_schema, current_query());
            DELETE FROM {0}.awsdms_ddl_audit;
          END IF;
        END
        """
    ).format(place)
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {}.awsdms_intercept_ddl() RETURNS event_trigger LANGUAGE plpgsql "
            "SECURITY DEFINER AS {}"
        ).format(place, sql.Literal(body.as_string(connection)))
    )
    if connection.execute("SELECT 1 FROM pg_event_trigger WHERE evtname = 'awsdms_intercept_ddl'").fetchone() is None:
        connection.execute(
            sql.SQL(
                "CREATE EVENT TRIGGER awsdms_intercept_ddl ON ddl_command_end "
                "EXECUTE FUNCTION {}.awsdms_intercept_ddl()"
            ).format(place)
        )


def clean_up(connection: Connection, objects: Objects) -> None:
    """Removes what `prepare` made for this task. The artefacts of DMS stay: another task may use them."""
    connection.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", (objects.slot,)
    )
    connection.execute(sql.SQL("DROP EVENT TRIGGER IF EXISTS {}").format(sql.Identifier(objects.trigger)))
    functions = connection.execute(
        "SELECT n.nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = %s",
        (objects.trigger,),
    ).fetchall()
    for (schema,) in functions:
        connection.execute(sql.SQL("DROP FUNCTION {}()").format(sql.Identifier(schema, objects.trigger)))
    for name in (objects.rows, objects.keyed):
        connection.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)))


# --- the catalog ----------------------------------------------------------------------------------------------------

_TABLES = """
SELECT c.oid::int8, n.nspname, c.relname,
       CASE WHEN c.relkind = 'p' THEN 'partitioned' WHEN c.relispartition THEN 'partition' ELSE 'table' END,
       c.relreplident = 'f' OR EXISTS (
         SELECT FROM pg_index i WHERE i.indrelid = c.oid
         AND (c.relreplident = 'd' AND i.indisprimary AND i.indimmediate OR c.relreplident = 'i' AND i.indisreplident)),
       a.attname, a.atttypid::int8, a.atttypmod, a.attnum, coalesce(a.attnum = ANY (k.indkey), false), a.attgenerated
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index k ON k.indrelid = c.oid AND k.indisprimary
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname NOT LIKE 'awsdms\\_%%'
  AND (%(oids)s::int8[] IS NULL OR c.oid::int8 = ANY (%(oids)s::int8[]))
ORDER BY n.nspname, c.relname, a.attnum
"""


def tables(connection: Connection, oids: Iterable[int] | None = None) -> list[Table]:
    """The tables that DMS could read, in the order of their names: no temporary, unlogged, foreign or system tables."""
    found: dict[int, Table] = {}
    parameters = {"oids": None if oids is None else list(oids)}
    for oid, schema, name, kind, identity, *rest in connection.execute(_TABLES, parameters):
        table = found.setdefault(oid, Table(oid, schema, name, kind, identity, ()))
        column, type_oid, typmod, attnum, key, generated = rest
        if column is not None:
            one = Column(column, type_oid, typmod, attnum, key, generated == "v")
            found[oid] = Table(oid, schema, name, kind, identity, (*table.columns, one))
    return list(found.values())


class Types:
    """Types by oid, out of the catalog, remembered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[int, tuple[str, str, str, int, int]] = {}

    def resolve(self, oid: int, typmod: int) -> PgType:
        """The type of a column; of a domain, the type it rests on (AWS: open; a domain is stored as its base type)."""
        while True:
            name, kind, category, base, base_typmod = self._look_up(oid)
            if kind != "d":
                break
            oid, typmod = base, base_typmod
        if category == "A":
            return PgType(name, "array", typmod)
        kinds: dict[str, Literal["enum", "composite", "range", "multirange"]] = {
            "e": "enum",
            "c": "composite",
            "r": "range",
            "m": "multirange",
        }
        return PgType(name, kinds.get(kind, "base"), typmod)

    def forget(self) -> None:
        """Called when a table was altered: a type may have been replaced."""
        self._known.clear()

    def _look_up(self, oid: int) -> tuple[str, str, str, int, int]:
        if oid not in self._known:
            row = self._connection.execute(
                "SELECT typname, typtype::text, typcategory::text, typbasetype::int8, typtypmod "
                "FROM pg_type WHERE oid = %s",
                (oid,),
            ).fetchone()
            # A type that has been dropped since the change was made: its values are still text in the WAL.
            self._known[oid] = row if row is not None else ("dropped type", "b", "U", 0, -1)
        return self._known[oid]
