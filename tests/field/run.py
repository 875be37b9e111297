"""driftguard on the schemas of public projects: everything that lands must equal Aurora, value by value.

    python tests/field/run.py --checkouts DIR      (DIR holds clones of the projects below, by their names)

For each project: its schema and data go into a sandbox's Postgres, DMS loads them, and driftguard checks, plans and
applies until nothing is left; then FINAL is compared with Aurora. What is refused must be refused with a reason, and
what differs must be a loss that a finding has declared. Figures and commit ids go to docs/field-results.md; nothing of
the projects themselves is kept.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "field")]

from checkouts import commit_of, find, git, write_part  # noqa: E402

from driftguard.aurora.connect import one_line  # noqa: E402
from driftguard.aurora.dump import Rows, read_dump  # noqa: E402
from driftguard.aurora.embedded import EmbeddedPostgres  # noqa: E402
from driftguard.sandbox.compare import Comparison, compare_table  # noqa: E402
from home import Home  # noqa: E402

TITLE = "Public schemas, value by value"
GENERATED_ROWS = 12


@dataclass(frozen=True)
class Project:
    """`files` hold schema and data; generated rows go where there is no data."""

    name: str
    repository: str
    files: tuple[str, ...]
    generate: bool = False


PROJECTS = (
    Project("pagila", "devrimgunduz/pagila", ("pagila-schema.sql", "pagila-data.sql")),
    Project("pagila, newest schema", "devrimgunduz/pagila", ("pagila-schema.sql",), generate=True),
    Project(
        "chinook-database",
        "lerocha/chinook-database",
        ("ChinookDatabase/DataSources/Chinook_PostgreSql.sql",),
    ),
    Project(
        "openstreetmap-website",
        "openstreetmap/openstreetmap-website",
        ("db/structure.sql",),
        generate=True,
    ),
)


@dataclass
class Result:
    """What one project showed."""

    project: str
    commit: str = ""
    tables: int = 0
    landed: int = 0
    unloaded: list[str] = field(default_factory=list)  # statements that the embedded Postgres refused
    unfilled: list[str] = field(default_factory=list)  # tables that the row generator could not fill
    refused: list[str] = field(default_factory=list)  # tables without a landing, and why
    waived: list[str] = field(default_factory=list)  # columns with a declared loss, and which
    comparison: Comparison = field(default_factory=Comparison)
    declared: Counter[str] = field(default_factory=Counter)  # column → cells that differ as a finding says
    undeclared: list[str] = field(default_factory=list)
    operations: int = 0
    statements: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not self.undeclared and self.comparison.rows > 0


# --- the project's files --------------------------------------------------------------------------------------------


def extract(place: Path, project: Project, target: Path) -> tuple[str, list[Path]]:
    """The newest commit that has all files whole (a partial clone may lack large ones), and copies of them."""
    history = git(place, "log", "--format=%H", "--", *project.files).decode().split()
    for commit in [commit_of(place), *history]:
        try:
            texts = [git(place, "show", f"{commit}:{name}") for name in project.files]
        except subprocess.CalledProcessError:
            continue
        paths = []
        for number, text in enumerate(texts):
            path = target / f"{number}.sql"
            path.write_bytes(text)
            paths.append(path)
        return commit, paths
    raise SystemExit(f"{place}: no commit has {' and '.join(project.files)}")


def load(url: str, paths: list[Path], result: Result) -> None:
    """Statement by statement; one that is refused is told and left out, as is what needs it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for path in paths:
            for part in read_dump(path).parts:
                statement = part.statement if isinstance(part, Rows) else part
                try:
                    if isinstance(part, Rows):
                        with connection.cursor().copy(statement.text.encode()) as copy:
                            copy.write(part.data)
                    else:
                        connection.execute(statement.text.encode())
                except psycopg.Error as error:
                    words = re.sub(r"(--.*\n|\s)+", " ", statement.text).strip().split("(")[0]
                    result.unloaded.append(f"`{words[:70].strip()}`: {one_line(error)}")
        connection.execute("RESET ALL")


# --- rows for a schema without data ---------------------------------------------------------------------------------

COLUMNS = """
SELECT n.nspname, c.relname, a.attname, a.attnotnull, format_type(a.atttypid, a.atttypmod),
  coalesce(b.typname, t.typname), coalesce(nullif(t.typtypmod, -1), a.atttypmod), a.attndims > 0 OR t.typcategory = 'A', t.typtype = 'd',
  (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid IN (t.oid, t.typelem, t.typbasetype))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = coalesce(nullif(t.typbasetype, 0), nullif(t.typelem, 0))
  AND (t.typtype = 'd' OR t.typcategory = 'A')
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2, a.attnum
"""


def value(kind: str, typmod: int, labels: list[str] | None, in_domain: bool, n: int) -> str | None:
    """The text of a value of a type, another for each n; None for a type that is not known here."""
    if labels:
        return labels[n % len(labels)]
    length = max(typmod - 4, 1) if typmod > 0 else 60
    base = dt.datetime(2022, 1, 3, 4, 5, 6, 789012) + dt.timedelta(days=n * 11, hours=n)
    match kind:
        case "int2" | "int4" | "int8" | "oid":
            return str(2000 + n if in_domain else n)
        case "numeric":
            scale = (typmod - 4) & 0x7FF if typmod > 0 else 6
            digits = ((typmod - 4) >> 16) if typmod > 0 else 20
            whole = 10 ** min(digits - scale, 12) - n if n % 2 and digits > scale else n % 10 if digits > scale else 0
            return f"{whole}.{str(n * 987654321987)[:scale].rjust(scale, '0')}" if scale else str(whole)
        case "float4" | "float8":
            return repr(n / 7)
        case "bool":
            return str(n % 2 == 0)
        case "text" | "varchar" | "citext" | "name":
            return f'{n} – it\'s a "text", \\ ünd 😀'[:length]
        case "bpchar":
            return f"{n}"[:length]
        case "timestamp":
            return base.isoformat()
        case "timestamptz":
            return f"{base.isoformat()}+05:30"
        case "date":
            return base.date().isoformat()
        case "time":
            return f"{base.hour:02}:05:06" if n % 3 else f"{base.hour:02}:05:06.789012"
        case "timetz":
            return f"{base.hour:02}:05:06+02"
        case "interval":
            return f"{n} months {n} days 03:04:05.678"
        case "uuid":
            return f"{n:08x}-0000-7000-8000-{n * 77:012x}"
        case "json" | "jsonb":
            return json.dumps({"n": n, "list": [None, True, n / 4], "text": 'ü "quoted"'})
        case "bytea":
            return "\\x" + bytes((n, 0, 255, 92)).hex()
        case "tsvector":
            return f"'word{n}':1 'it''s':2"
        case "inet":
            return f"10.0.0.{n}"
        case "cidr":
            return f"10.{n}.0.0/16"
        case "macaddr":
            return f"08:00:2b:01:02:{n:02x}"
        case "int4range" | "int8range" | "numrange":
            return f"[{n},{n + 5})"
        case "tsrange" | "tstzrange" | "daterange":
            return f"[2022-01-{n % 27 + 1:02},2023-01-01)"
        case "vector":
            return "[" + ",".join(str((n + i) / 8) for i in range(max(typmod, 1))) + "]"
        case "xml":
            return f"<n>{n}</n>"
        case "point":
            return f"({n},{n / 2})"
        case "bit" | "varbit":
            return format(n, "b").rjust(max(typmod, 1), "0")[: max(typmod, 1)]
        case "money":
            return f"{n}.25"
    return None


def fill(url: str, result: Result) -> None:
    """A few rows for each table; foreign keys are not looked at, and every fifth row has NULL wherever it may."""
    tables: dict[tuple[str, str], list[Any]] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for row in connection.execute(COLUMNS).fetchall():
            tables.setdefault((row[0], row[1]), []).append(row[2:])
        connection.execute("SET session_replication_role = replica")
        for (schema, table), columns in tables.items():
            if (
                connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(schema, table))).fetchone()
                is not None
            ):
                continue
            insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                sql.Identifier(schema, table),
                sql.SQL(", ").join(sql.Identifier(c[0]) for c in columns),
                sql.SQL(", ").join(sql.SQL("%s::" + c[2]) for c in columns),
            )
            done, why = 0, ""
            for n in range(1, GENERATED_ROWS + 1):
                values = [cell(column, n) for column in columns]
                sparse = [v if column[1] else None for v, column in zip(values, columns, strict=True)]
                for attempt in [sparse] if n % 5 == 0 else [values, sparse]:
                    try:
                        connection.execute(insert, attempt)
                        done += 1
                        break
                    except psycopg.Error as error:
                        why = one_line(error)
            if not done:
                result.unfilled.append(f"{schema}.{table}: {why}")


def cell(column: Any, n: int) -> str | None:
    _, _, _, kind, typmod, is_array, in_domain, labels = column
    one = value(kind, typmod, labels, in_domain, n)
    if is_array and one is not None:
        quoted = one.replace("\\", "\\\\").replace('"', '\\"')
        return f'{{"{quoted}",NULL,"{quoted}"}}'
    return one


# --- the pipeline ---------------------------------------------------------------------------------------------------


def mappings(url: str, excluded: list[tuple[str, str]]) -> str:
    """Everything, with the change sequence; partitions under the name of their table, which DMS does not read itself."""
    with psycopg.connect(url) as connection:
        partitions = connection.execute(
            """SELECT n.nspname, c.relname, r.relname, rn.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_class r ON r.oid = pg_partition_root(c.oid) JOIN pg_namespace rn ON rn.oid = r.relnamespace
            WHERE c.relispartition AND c.relkind = 'r' ORDER BY 1, 2"""
        ).fetchall()
    roots = sorted({(p[3], p[2]) for p in partitions})
    numbers = iter(range(1, 10_000))

    def rule(kind: str, action: str, schema: str, table: str, **more: Any) -> dict[str, Any]:
        number = str(next(numbers))
        place = {"schema-name": schema, "table-name": table}
        return {
            "rule-type": kind,
            "rule-id": number,
            "rule-name": number,
            "rule-action": action,
            "object-locator": place,
            **more,
        }

    rules = [rule("selection", "include", "%", "%")]
    rules += [rule("selection", "exclude", _exact(s), _exact(t)) for s, t in (*roots, *excluded)]
    rules += [
        rule("transformation", "rename", _exact(schema), _exact(name), value=root) | {"rule-target": "table"}
        for schema, name, root, _ in partitions
    ]
    sequence = {
        "value": "dms_change_seq",
        "expression": "$AR_H_CHANGE_SEQ",
        "data-type": {"type": "string", "length": 35},
    }
    rules.append(rule("transformation", "add-column", "%", "%", **sequence) | {"rule-target": "column"})
    return json.dumps({"rules": rules}, indent=1)


def _exact(name: str) -> str:
    return re.sub(r"[_%\[\]]", lambda match: f"[{match[0]}]", name)


def source_tables(url: str) -> Iterator[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        yield from connection.execute(
            """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' AND n.nspname NOT LIKE 'pg\\_%'
            AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
            ORDER BY 1, 2"""
        ).fetchall()


def through(home: Home, result: Result) -> None:
    """Check, plan, apply, sync, until everything is in step; then compare."""
    url = home.aurora_url
    tables = [t for t in source_tables(url) if not t[0].startswith("driftguard")]
    result.tables = len(tables)
    home.write("dms/table-mappings.json", mappings(url, []))
    clock = _Clock(result)
    home.run("sandbox", "sync")
    clock("full load")
    report = home.json("check", code=1)
    clock("check")
    home.run("plan", "--write", "-m", result.project)
    excluded = []
    left = [f for f in home.json("check", "--fail-on", "info", code=1)["findings"] if f["code"] not in CLOSED_BY_PLAN]
    for finding in left:
        table = finding["table"]
        if finding["severity"] in ("error", "unknown") and finding["column"] is None and table:
            result.refused.append(f"{table['schema']}.{table['name']}: {finding['code']} {finding['message']}")
            excluded.append((table["schema"], table["name"]))
    if excluded:
        home.write("dms/table-mappings.json", mappings(url, excluded))
    del report
    clock("plan")
    result.statements = len(home.run("apply").splitlines()) - 1
    clock("apply")
    after = home.json("check", "--fail-on", "info", code=1 if left else 0)
    for finding in after["findings"]:
        if finding["severity"] in ("error", "unknown"):
            _waive(home, finding, result)
        elif finding["code"] in DECLARED and finding["column"]:
            result.waived.append(_told(finding))
    home.run("check")
    result.operations = len(home.json("plan")["operations"])
    assert result.operations == 0, "the plan is not empty after apply"
    assert "nothing to apply" in home.run("apply")
    clock("check again")
    home.run("sandbox", "sync")
    clock("load and merge")
    compare(home, [t for t in tables if t not in excluded], after["findings"], result)
    clock("compare")


CLOSED_BY_PLAN = {"DG101", "DG102", "DG103", "DG202", "DG203", "DG301", "DG304"}
DECLARED = {"DG107", "DG108", "DG109"}


def _told(finding: dict[str, Any]) -> str:
    table = finding["table"]
    return f"{table['schema']}.{table['name']}.{finding['column']}: {finding['code']} {finding['message']}"


def _waive(home: Home, finding: dict[str, Any], result: Result) -> None:
    table = finding["table"]
    result.waived.append(_told(finding))
    settings = home.directory / "driftguard.toml"
    column = f"column = {json.dumps(finding['column'])}\n" if finding["column"] else ""
    settings.write_text(
        f'{settings.read_text()}\n[[waiver]]\ncode = "{finding["code"]}"\n'
        f'table = {json.dumps(table["schema"] + "." + table["name"])}\n{column}reason = "declared in the results"\n'
    )


def compare(home: Home, tables: list[tuple[str, str]], findings: list[dict[str, Any]], result: Result) -> None:
    found = {row[1] for row in home.execute("SHOW TABLES IN SCHEMA ANALYTICS.FINAL")}
    with psycopg.connect(home.aurora_url) as aurora, home.snowflake() as snowflake:
        for schema, table in tables:
            name = table.upper() if re.fullmatch(r"[a-z0-9_]+", table) else table
            result.landed += name in found
            compare_table(aurora, snowflake, schema, table, ("ANALYTICS", "FINAL", name), result.comparison)
    declared = {
        f"{f['table']['schema']}.{f['table']['name']}.{f['column']}": f["code"]
        for f in findings
        if f["code"] in DECLARED and f["column"]
    }
    seen = result.comparison
    for column, cells in [*seen.different_columns.items(), *seen.missing_columns.items()]:
        if column in declared:
            result.declared[f"{column} ({declared[column]})"] += cells
        else:
            result.undeclared.append(f"{column}: {cells} cells")
    result.undeclared += [d for d in seen.differences if " became " not in d]
    if seen.missing_rows or seen.extra_rows:
        result.undeclared.append(f"{seen.missing_rows} rows missing, {seen.extra_rows} too many")


class _Clock:
    def __init__(self, result: Result) -> None:
        self._result, self._last = result, time.monotonic()

    def __call__(self, what: str) -> None:
        now = time.monotonic()
        self._result.seconds[what] = now - self._last
        self._last = now


def run(project: Project, place: Path) -> Result:
    result = Result(project.name)
    folder = Path(tempfile.mkdtemp(prefix="driftguard-field-"))
    folder.chmod(0o711)  # under root Postgres runs as another user, who has to pass through
    home = Home(folder)
    try:
        result.commit, paths = extract(place, project, folder)
        home.run("sandbox", "up", "--detach")
        load(home.aurora_url, paths, result)
        if project.generate:
            fill(home.aurora_url, result)
        through(home, result)
    finally:
        home.try_("sandbox", "down")
        EmbeddedPostgres.start(folder / ".driftguard" / "postgres").remove()
        shutil.rmtree(folder)
    return result


# --- the page -------------------------------------------------------------------------------------------------------


def page(results: list[Result]) -> str:
    lines = [
        "Public schemas through the whole sandbox: load, check, plan, apply, merge, and every cell of FINAL compared with",
        "Aurora. Made by `make field FIELD_ARGS='--checkouts DIR'`; nothing of the projects is in this repository.",
        "",
        "| project | commit | tables | landed | rows | cells compared | declared losses | differences | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.project} | `{r.commit[:12]}` | {r.tables} | {r.landed} | {r.comparison.rows} | {r.comparison.cells.total()} "
        f"| {r.declared.total()} | {len(r.undeclared)} | {sum(r.seconds.values()):.0f} |"
        for r in results
    ]
    for r in results:
        lines += ["", f"### {r.project}", ""]
        lines.append(
            f"{r.statements} statements applied. Seconds: "
            + ", ".join(f"{k} {v:.1f}" for k, v in r.seconds.items())
            + "."
        )
        lines += ["", "Cells by type: " + ", ".join(f"{k} {v}" for k, v in sorted(r.comparison.cells.items())) + "."]
        for title, entries in (
            ("Differences that no finding declared", r.undeclared),
            ("Differences that a finding declared (cells)", [f"{k}: {v}" for k, v in r.declared.items()]),
            ("Tables without a landing", r.refused),
            ("Findings that stay after apply", r.waived),
            ("Not loaded into the embedded Postgres", r.unloaded),
            ("Tables left empty by the row generator", r.unfilled),
        ):
            if entries:
                lines += ["", f"{title}:", "", *(f"- {entry}" for entry in entries)]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkouts", type=Path, required=True, help="a folder with clones of the projects")
    parser.add_argument("--only", help="run the projects whose name contains this, and write no page")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "field-results.md")
    options = parser.parse_args()
    results = []
    for project in PROJECTS:
        if options.only and options.only not in project.name:
            continue
        place = find(options.checkouts, project.repository)
        if place is None:
            print(f"{project.name}: no clone in {options.checkouts}, left out")
            continue
        print(f"{project.name} …", flush=True)
        result = run(project, place)
        results.append(result)
        seen = result.comparison
        print(
            f"  {result.landed} of {result.tables} tables, {seen.rows} rows, {seen.cells.total()} cells, {len(result.undeclared)} differences"
        )
        for difference in (result.undeclared + seen.differences)[:12]:
            print(f"  {difference}")
    if not results:
        print("nothing was run")
        return 2
    if options.only:
        print(page(results))
    else:
        write_part(options.out, TITLE, page(results))
        print(f"wrote {options.out}")
    return 0 if all(r.good for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
