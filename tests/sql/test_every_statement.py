"""Every SQL statement that driftguard can send to Snowflake is one that Snowflake's grammar knows.

Two parsers that know nothing of driftguard read each statement, and what a task or a pipe holds is read once more by
itself. Two guards keep the collection complete: each SQL text in the sources must have been seen in a statement, and
each place that sends one is listed here.
"""

from __future__ import annotations

import ast
import dataclasses
import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pytest
import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlfluff.core.parser import BaseSegment
from sqlglot import exp
from sqlglot.errors import SqlglotError

import driftguard
from builders import POLICY, applied
from driftguard.commands.apply import read_records
from driftguard.commands.status import _holder
from driftguard.config import load
from driftguard.control import schema
from driftguard.control.failures import cast_failures
from driftguard.control.journal import Attempt, Journal, Place
from driftguard.control.lease import Lease
from driftguard.control.lineage import ancestors, record
from driftguard.control.link import Link
from driftguard.control.recovery import Fate, Recovery
from driftguard.errors import LeaseHeldError
from driftguard.merge.anew import refill
from driftguard.merge.casts import cast_sql
from driftguard.migrate.runner import Runner
from driftguard.migrate.writing import write
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.landing import Cast
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Ancestor, Estate
from driftguard.operations.base import Operation
from driftguard.operations.catalogue import KINDS
from driftguard.operations.undo import undo
from driftguard.plan.planner import make_plan
from driftguard.probe.snowflake import ask, current_account
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.capabilities import Answer
from driftguard.snowflake.history import Run, cancel, graph_runs_now, loads_now, now, run_since, runs_now, tagged
from driftguard.snowflake.introspect import introspect
from driftguard.snowflake.markers import arrived
from driftguard.snowflake.repairs import with_repairs
from driftguard.snowflake.session import Session
from driftguard.snowflake.usage import with_usage
from landings import CASTS, TABLES, contexts, every_cast
from operation_cases import CASES, CONVERSIONS, FINAL, MORE, RECORD_SPEC, SPEC, TASK
from recording import RecordingSession

PACKAGE = Path(driftguard.__file__).parent

# What sqlglot reads only as an opaque command, and the page of docs.snowflake.com with its grammar.
COMMANDS = {
    r"ALTER TASK .* (SUSPEND|RESUME)": "ALTER TASK",
    r"ALTER TASK .* MODIFY AS\s.*": "ALTER TASK",
    r"EXECUTE TASK .*": "EXECUTE TASK",
    r"ALTER TASK .* (MODIFY WHEN .*|REMOVE WHEN)": "ALTER TASK",
    r"CREATE (OR REPLACE STREAM|STREAM IF NOT EXISTS) .*": "CREATE STREAM",
    r"DROP STREAM IF EXISTS .*": "DROP STREAM",
    r"SHOW STREAMS IN SCHEMA .*": "SHOW STREAMS",
    r"ALTER PIPE .* REFRESH": "ALTER PIPE",
    r"ALTER PIPE .* SET PIPE_EXECUTION_PAUSED = (TRUE|FALSE)": "ALTER PIPE",
    r"CREATE (OR REPLACE PIPE|PIPE IF NOT EXISTS) .*": "CREATE PIPE",
    r"DROP PIPE IF EXISTS .*": "DROP PIPE",
    r"CREATE TASK IF NOT EXISTS .*": "CREATE TASK",
    r"CREATE OR REPLACE SECURE PROCEDURE .*": "CREATE PROCEDURE",
    r"SHOW GRANTS ON SCHEMA .*": "SHOW GRANTS",
    r"SHOW PARAMETERS LIKE .*": "SHOW PARAMETERS",
    r"SHOW (PIPES|TASKS) IN SCHEMA .*": "SHOW PIPES, SHOW TASKS",
}
# sqlglot stops at `LET x TYPE := (…)` inside a task; the parts of the body are parsed by themselves.
SCRIPTING = r"(ALTER TASK .* MODIFY AS|CREATE TASK IF NOT EXISTS .*)\s+BEGIN\s"
# A change of rows with its row in the journal: sqlglot stops here too.
BLOCK = "BEGIN\nBEGIN TRANSACTION;\n"
# Taking the lease: a block whose value is the token. An apply has the tables of the control schema made in it first.
TAKE = ("BEGIN\nCREATE TABLE IF NOT EXISTS ", "BEGIN\nUPDATE lease ")
# What sqlfluff does not know. CREATE FILE FORMAT: NULL_IF = ( [ '<string>' … ] ) may be empty. SHOW PRIMARY KEYS. ALTER
# TABLE: ADD COLUMN … [ WITH ] TAG ( <tag_name> = '<tag_value>' [ , … ] ).
TAG = r"""(?:(?:"(?:[^"]|"")*"\.?)+ = '(?:[^']|'')*'(?:, )?)+"""
UNKNOWN = re.compile(rf'NULL_IF = \(\)|SHOW PRIMARY KEYS IN DATABASE "(?:[^"]|"")*"|WITH TAG \({TAG}\)')
# sqlfluff's stage path ends at the first quote, also at a doubled one ("String & binary data types": '' is a quote).
STAGE_PATH = re.compile(r"(?<=FROM )'@(?:[^'\\]|''|\\.)*'", re.DOTALL)

# Each place that hands SQL to Snowflake, and what it hands over. A new one belongs here, and into the collection below.
SENDERS = {
    "control/schema.py": {
        "f'SELECT NAME, AT FROM {table} ORDER BY NAME'",
        "f'SELECT REVISION FROM {table}'",
        "f'SELECT LANDING, MAX_BY(SQL_TEXT, RECORDED_AT) AS SQL_TEXT FROM {table} GROUP BY LANDING'",
        "f'USE SCHEMA {schema_name(database, schema)}'",
        "sql",
    },
    "control/lineage.py": {"'BEGIN TRANSACTION'", "'COMMIT'", "sql"},
    "snowflake/markers.py": {"sql"},
    "control/failures.py": {"sql"},
    "control/journal.py": {
        "'BEGIN TRANSACTION'",
        "'COMMIT'",
        "'ROLLBACK'",
        "transaction(forget, self._text(self._values(place, UNDONE)))",
        "_insert(tuple(values))[0]",
        "sql",
    },
    "control/lease.py": {"block(*before, written_out(take), f'LET mine NUMBER := ({mine})', 'RETURN mine')"},
    "control/recovery.py": {"'SELECT CURRENT_USER() AS ME'"},
    "migrate/runner.py": {"create"},
    "migrate/worker.py": {"'ROLLBACK'", "sql"},
    "snowflake/history.py": {
        "'SELECT CURRENT_TIMESTAMP() AS NOW'",
        "f'SELECT QUERY_ID, QUERY_TAG, EXECUTION_STATUS FROM {history} WHERE QUERY_TAG IN ({wanted})'",
        "f'SELECT COUNT(*) AS FOUND FROM {history}'",
        "f'SELECT SYSTEM$CANCEL_QUERY({literal(query_id)})'",
        "sql",
    },
    "snowflake/session.py": {"sql"},
    "snowflake/usage.py": {"sql"},
    "snowflake/repairs.py": {"sql"},
    "snowflake/introspect.py": {
        "_WHO",
        "_TIMEZONE",
        "self._schemas_sql()",
        "self._keys_sql()",
        "self._show_sql(kind, schema)",
        "self._show_sql('tables', schema)",
        "'SELECT CURRENT_AVAILABLE_ROLES() AS R'",
        "f'SHOW GRANTS ON SCHEMA {schema_name(self.database, schema)}'",
        "self._columns_sql(schemas, where)",
        "_information_sql(self.database, schemas, view, columns, '')",
        "sql",
    },
    "probe/snowflake.py": {
        "f'CREATE SCHEMA {place}'",
        "f'USE SCHEMA {place}'",
        "f'DROP SCHEMA IF EXISTS {place} CASCADE'",
        "'ROLLBACK'",
        "'SELECT CURRENT_ACCOUNT() AS ACCOUNT'",
        "statement",
        "sql",
    },
    # the demo's own shop, on the stand-in
    "commands/demo.py": {
        "_text('landing.sql')",
        "\"UPDATE ANALYTICS.FINAL.STOCK SET LEVEL = LEVEL + 1 WHERE SKU = 'SKU-9' AND WAREHOUSE = 'south'\"",
        "script",
    },
}


def operations() -> Iterator[tuple[Operation, Estate]]:
    """Every operation of every plan, each with the estate that it meets, and the written-out cases."""
    for context, estate in contexts():
        for operation in make_plan(context).operations:
            yield operation, estate
            estate = operation.effect(estate)
    yield from CASES.values()
    yield from MORE


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What goes over the wire in an apply from nothing, a second one, a status and a check of a small estate."""
    seen: list[str] = []
    home = tmp_path_factory.mktemp("every-statement")
    (home / "driftguard.toml").write_text('[landing]\ndatabase = "DB"\n')
    config = load(directory=home)
    plan = make_plan(contexts()[0][0])
    server = SnowflakeServer()
    server.start()
    try:

        def open_session() -> RecordingSession:
            connection = Session.connect(server.connect_kwargs() | {"role": "SYSADMIN"}, "test").connection
            return RecordingSession(connection, "test", seen)

        with open_session() as session:
            _prepare(session, home)
            seen.clear()
            schemas = (POLICY.staging_schema, POLICY.final_schema)
            runner = Runner(
                session,
                open_session,
                lambda at: introspect(at, "DB", schemas),
                database="DB",
                control_schema=POLICY.control_schema,
                lease_seconds=60,
            )
            (revision,) = write(home / "migrations", "land it all", plan.operations)
            runner.apply([revision])
            runner.apply([revision])
            assert schema.applied_revisions(session, "DB", POLICY.control_schema) == (revision.id,)
            assert read_records(config, session)
            _control(session, open_session)
            assert current_account(session)
            assert {item.answer for item in ask(session, "DB")} == set(Answer)
            estate = with_usage(session, introspect(session, "DB", schemas), "DB", schemas)
            assert with_repairs(session, estate, "FINAL").to_repair == ()
            assert {t.name for t in estate.tables} >= {t.name for t in applied(Estate(), plan).tables}
    finally:
        server.stop()
    return seen


def _prepare(session: RecordingSession, home: Path) -> None:
    for statement in (
        'CREATE DATABASE "DB"',
        'CREATE SCHEMA "DB"."STAGING"',
        'CREATE SCHEMA "DB"."FINAL"',
        "CREATE WAREHOUSE WH",
        f'CREATE STAGE "DB"."STAGING"."DMS_STAGE" URL = \'file://{home}/\'',
        'CREATE PROCEDURE "DB"."STAGING"."it\'s"(N NUMBER) RETURNS INT LANGUAGE SQL AS \'BEGIN RETURN 1; END\'',
        'CREATE TABLE "DB"."FINAL"."it\'s" ("_DG_REPAIR" VARCHAR, "_DG_DELETED" BOOLEAN)',
        'CREATE TASK "DB"."STAGING"."T" AS CALL "DB"."STAGING"."it\'s"(1)',
    ):
        session.execute(statement)


def _recovery(session: RecordingSession, place: Place) -> None:
    """What is asked of the history, and a change of rows in a transaction with its row."""
    assert tagged(session, "DB", ["it's a tag"], 'o"dd', datetime.now(UTC).replace(tzinfo=None)) == ((), True)
    assert not runs_now(session, ObjectName("DB", "STAGING", "it's"))
    assert not graph_runs_now(session, ObjectName("DB", "STAGING", "it's"))
    assert run_since(session, ObjectName("DB", "STAGING", "it's"), now(session)) == (Run.NONE, "")
    recovery = Recovery("DB", 1, lambda _: None)
    attempt = Attempt("no such tag", datetime.now(UTC).replace(tzinfo=None))
    assert recovery.fate(Link(session, lambda: session), [attempt], "it") is Fate.ABSENT
    query = session.rows("SELECT LAST_QUERY_ID() AS Q")[0]["Q"]
    session.seen.pop()
    cancel(session, query)
    session.execute(
        schema.transaction("DELETE FROM lease WHERE name = 'it''s nobody'", Journal(session).done_sql(place))
    )


def _control(session: RecordingSession, open_session: object) -> None:
    """The statements of the control tables that an apply without trouble does not send."""
    assert cast_failures(session, "DB", POLICY.control_schema, 7) == ((), ())
    assert schema.milestones(session, "DB", POLICY.control_schema) == ()
    assert schema.merge_texts(session, "DB", POLICY.control_schema) == ()
    known = Ancestor("DB.FINAL.it's", "1", 2, TableName("shop", "it's"), 3, "it's", 4)
    record(session, [known])
    assert ancestors(session, "DB", POLICY.control_schema) == (known,)
    assert arrived(session, ObjectName("DB", "FINAL", "NOBODY"), "NAME", "it's") == ()
    some = next(t.name for t in applied(Estate(), make_plan(contexts()[0][0])).tables if t.name.schema == "STAGING")
    assert not loads_now(session, some)
    journal = Journal(session)
    place = Place("r1", "d1", 0, 0)
    journal.failed(place, "a tag", "it's \\ 100 % broken")
    journal.stamped(dataclasses.replace(place, revision="r2"), "unverified: it's known")
    journal.undo(place, "[('drop_columns', {'columns': ['C']})]")
    journal.undone(place)
    assert not journal.is_done(place)
    many = [(dataclasses.replace(place, statement=n), Statement(f"-- {n}", "it's many")) for n in range(101)]
    journal.plan(many)
    _recovery(session, place)
    beats = threading.Event()

    class Watched(RecordingSession):
        def execute(self, sql: str, parameters: object = None, *, tag: str | None = None) -> int:
            count = super().execute(sql, parameters, tag=tag)
            beats.set()
            return count

    def control_session() -> Watched:
        assert callable(open_session)
        opened = open_session()
        schema.use(opened, "DB", POLICY.control_schema)
        return Watched(opened.connection, "test", session.seen)

    with Lease(Link(session, control_session), 3) as lease:
        lease.check(session)
        assert _holder(session) == lease.holder
        with pytest.raises(LeaseHeldError, match="another apply"):
            Lease(Link(session, control_session), 3).__enter__()
        assert beats.wait(10), "the heartbeat did not beat"


@dataclasses.dataclass(frozen=True)
class Parsed:
    """A statement as sqlfluff and sqlglot see it. sqlfluff takes a second for a long one, so it is asked only once."""

    sql: str
    glot: exp.Expression | None
    problem: str
    linter: Linter

    @cached_property
    def tree(self) -> BaseSegment:
        text = STAGE_PATH.sub(lambda path: path[0][0] + path[0][1:-1].replace("''", "_") + "'", self.sql)
        tree = self.linter.parse_string(text).tree
        assert tree is not None, self.sql
        return tree

    @property
    def unparsable(self) -> list[str]:
        return [s.raw for s in self.tree.recursive_crawl("unparsable") if not UNKNOWN.fullmatch(s.raw.strip())]


class Parsers:
    """Both parsers, each text read once."""

    def __init__(self) -> None:
        logging.getLogger("sqlglot").setLevel(logging.ERROR)
        self._linter = Linter(config=FluffConfig(overrides={"dialect": "snowflake"}))
        self._known: dict[str, Parsed] = {}

    def parse(self, sql: str) -> Parsed:
        if sql not in self._known:
            glot, problem = None, ""
            try:
                (glot,) = sqlglot.parse(sql, read="snowflake")
            except SqlglotError as error:
                problem = str(error).partition("\n")[0]
            self._known[sql] = Parsed(sql, glot, problem, self._linter)
        return self._known[sql]


@pytest.fixture(scope="session")
def parsers() -> Parsers:
    return Parsers()


@pytest.fixture(scope="session")
def planned() -> list[str]:
    """The SQL of every operation."""
    found = [s.sql for operation, estate in operations() for s in operation.statements(estate)]
    several = refill(SPEC, "DB.FINAL.T:1:abc")  # one transaction of three statements, each read by itself
    records = refill(RECORD_SPEC, "DB.FINAL.T:1:abc")
    found = [sql for sql in found if sql != ";\n".join(several)]
    return list(dict.fromkeys([*found, *several, *records, undo(FINAL, TASK, "it").keep.sql]))


@pytest.fixture(scope="session")
def statements(planned: list[str], recorded: list[str]) -> list[str]:
    """All of it, once each; the demo's and the sandbox's own statements go to the stand-in only."""
    return list(dict.fromkeys([*planned, *recorded]))


def test_sqlfluff_finds_nothing_that_it_cannot_parse(statements: list[str], parsers: Parsers) -> None:
    wrong = {sql: bad for sql in statements if (bad := parsers.parse(sql).unparsable)}
    assert wrong == {}


def test_sqlglot_parses_all_but_the_listed_commands(statements: list[str], parsers: Parsers) -> None:
    used = set()
    for sql in statements:
        parsed = parsers.parse(sql)
        listed = next((p for p in COMMANDS if re.fullmatch(p, sql, re.DOTALL)), None)
        if parsed.glot is None and sql.startswith(BLOCK):
            change, row = sql.removeprefix(BLOCK).split(";\nCOMMIT;\n")[0].split(";\n")
            assert isinstance(parsers.parse(change).glot, exp.Delete)
            assert isinstance(parsers.parse(row).glot, exp.Insert)
        elif parsed.glot is None and sql.startswith(TAKE):
            *tables, take, mine, _ = sql.removeprefix("BEGIN\n").removesuffix("RETURN mine;\nEND").split(";\n")
            assert {type(parsers.parse(table).glot) for table in tables} in ({exp.Create, exp.Alter}, set())
            assert isinstance(parsers.parse(take).glot, exp.Update)
            assert isinstance(parsers.parse(mine.removeprefix("LET mine NUMBER := ")).glot, exp.Subquery)
        elif parsed.glot is None:
            assert re.match(SCRIPTING, sql, re.DOTALL), f"{parsed.problem}: {sql}"
            assert listed
        elif isinstance(parsed.glot, exp.Command):
            assert listed, f"only a command for sqlglot: {sql}"
        if listed:
            used.add(listed)
    assert used == set(COMMANDS), "a listed command that nobody sends"


def bodies(statements: list[str], parsers: Parsers) -> Iterator[tuple[str, str]]:
    """The statements inside task bodies and pipes: (what it is, its text)."""
    for sql in statements:
        tree = parsers.parse(sql).tree
        if re.match(SCRIPTING, sql, re.DOTALL):
            found = [
                (kind, segment.raw)
                for kind in ("merge_statement", "insert_statement", "select_statement")
                for segment in tree.recursive_crawl(kind)
            ]
            kinds = [kind for kind, _ in found]
            assert kinds.count("merge_statement") == 1, sql
            assert kinds.count("insert_statement") == (4 if "LET failures" in sql else 3), sql
            assert kinds.count("select_statement") >= 4, "since, upto, the source of the MERGE, the INSERT"
            yield from found
        elif sql.startswith("CREATE PIPE"):
            assert len(list(tree.recursive_crawl("copy_into_table_statement"))) == 1, sql
            yield "copy_into_table_statement", sql[sql.index("COPY INTO ") :]


def unbound(sql: str) -> str:
    """Scripting variables as values, so that the text stands alone. A name may hold `:since` too: that one stays."""
    value = "'2026-01-01 00:00:00 +00:00'::TIMESTAMP_LTZ"
    tokens = r"\"(?:[^\"]|\"\")*\"|'(?:[^'\\]|''|\\.)*'|(?<!:):(?:since|upto|look_from|run_id|from_commit|load_floor|change_floor|reload_at|reloaded_at|first_load|final_is_empty)\b"
    sql = sql.replace(", :failures WHERE", ", 0 WHERE")
    return re.sub(tokens, lambda m: value if m[0].startswith(":") else m[0], sql, flags=re.DOTALL)


def test_what_tasks_and_pipes_hold_is_whole_sql_by_itself(statements: list[str], parsers: Parsers) -> None:
    wanted = {
        "merge_statement": exp.Merge,
        "insert_statement": exp.Insert,
        "select_statement": exp.Select,
        "copy_into_table_statement": exp.Copy,
    }
    seen = set()
    for kind, text in bodies(statements, parsers):
        parsed = parsers.parse(unbound(text))  # sqlfluff has found it among the segments of the whole
        assert isinstance(parsed.glot, wanted[kind]), f"{parsed.problem} {type(parsed.glot)}: {text}"
        seen.add(kind)
    assert seen == set(wanted)


def test_a_merge_means_the_same_columns_to_a_parser_as_to_driftguard(planned: list[str], parsers: Parsers) -> None:
    """Names with quotes, blanks, line ends and `;` do not end early: the inserted columns are those of the plan."""
    (made,) = (
        op
        for op in make_plan(contexts()[0][0]).operations
        if getattr(op, "final", None) is not None and op.touches()[1].name == "a\nb_CDC"
    )
    (task,) = (s.sql for s in made.statements(Estate()) if s.sql.startswith("CREATE TASK"))
    (merge,) = (text for kind, text in bodies([task], parsers) if kind == "merge_statement")
    tree = parsers.parse(unbound(merge)).glot
    assert isinstance(tree, exp.Merge)
    (insert,) = tree.find_all(exp.Insert)
    columns = [identifier.name for identifier in insert.this.expressions]
    spec = made.merge  # type: ignore[attr-defined]
    assert columns == [*(c.final for c in spec.columns), "_DG_COMMIT_TS", "_DG_SEQ"]
    assert planned


def test_every_kind_of_operation_and_every_cast_is_among_them(planned: list[str]) -> None:
    assert {operation.kind for operation, _ in operations()} == set(KINDS)
    everything = "\n".join(planned)
    for cast in CONVERSIONS:
        assert cast_sql(cast, '"C"', scale=4, zone="Europe/Berlin") in everything, cast
    for cast in set(Cast) - set(CONVERSIONS):
        name = f'"C_{cast.value.upper()}"'
        scale = 4 if cast is Cast.NUMBER else 0
        assert f"{cast_sql(cast, name, scale=scale)} AS {name}" in everything, cast
    assert {f"c_{cast.value}" for cast in set(Cast) - set(CONVERSIONS)} <= {c.name for c in CASTS.columns}
    assert every_cast().overrides
    for part in ("UNION ALL", '"_DG_LEFT"', "= 'U' AS \"_DG_LACKS_", "LET failures"):
        assert part in everything, part
    for kept in ("OLD_DATE", "OLD_BOOLEAN", "OLD_NUMBER"):
        assert f'COALESCE(s."{kept}", t."{kept}")' in everything, kept


def test_the_hostile_landings_are_all_planned(planned: list[str]) -> None:
    everything = "\n".join(planned)
    for item in TABLES:
        assert '"' + item.name.replace('"', '""') + '"' in everything or f'"{item.name.upper()}"' in everything
    assert "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE" in everything
    assert 'WAREHOUSE = "w""h"' in everything


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(("sandbox/", "aurora/", "probe/source.py")):  # the stand-ins' own, and PostgreSQL's
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_sql_is_sent_from_the_listed_places_only() -> None:
    found: dict[str, set[str]] = {}
    for name, tree in sources():
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        attr="execute"
                        | "rows"
                        | "_rows"
                        | "_soft"
                        | "_must"
                        | "execute_string"
                        | "execute_async"
                        | "executemany"
                    ),
                    args=[*args],
                ) if args:
                    sent = args[-1] if node.func.attr == "_soft" else args[0]
                    found.setdefault(name, set()).add(ast.unparse(sent))
                case _:
                    pass
    assert found == SENDERS


_SQL = re.compile(r"(SELECT|SHOW|ALTER|CREATE|INSERT|UPDATE|DELETE|MERGE|USE|DROP|COPY|GRANT|CALL|EXECUTE|TRUNCATE) \S")


def test_every_sql_text_in_the_sources_was_seen_in_a_statement(statements: list[str]) -> None:
    """A text that begins like SQL, its holes matching anything: at least one statement must hold it."""
    unseen = []
    for name, tree in sources():
        if name in ("commands/demo.py", "commands/init.py", "commands/merge.py") or name.startswith("drift/rules/"):
            continue
        documented = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
        for node in ast.walk(tree):
            if id(node) in documented or id(node) in inside:
                continue
            pattern = _pattern(node)
            if pattern.startswith(MESSAGES):
                continue
            if pattern and not any(re.search(pattern, sql, re.DOTALL) for sql in statements):
                unseen.append(f"{name}:{node.lineno}: {pattern}")  # type: ignore[attr-defined]
    assert unseen == []


MESSAGES = r"SHOW\ stops\ at"  # what a person is told, not what is sent


def _pattern(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)) if _SQL.match(text.lstrip()):
            return re.escape(text.strip())
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]) if _SQL.match(text.lstrip() + "x"):
            parts = (re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".*" for v in node.values)
            return "".join(parts).strip()
    return ""
