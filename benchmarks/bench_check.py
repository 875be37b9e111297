"""`driftguard check` on snapshots: seconds, peak memory, and how both grow with the number of tables.

Every figure is of a whole process. Usage: python benchmarks/bench_check.py [--tables 1000,10000]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from driftguard.commands.plan import after_revisions
from driftguard.commands.world import build_context
from driftguard.config import load
from driftguard.model.catalog import Catalog, Column, Key, PgType, Table
from driftguard.model.snapshot import dumps
from driftguard.model.snowflake import Estate
from driftguard.plan.planner import make_plan

CONFIG = """\
[landing]
database = "DB"
warehouse = "WH"
[[dms.task]]
name = "dms"
table_mappings = "mappings.json"
s3_settings = { DataFormat = "parquet", BucketFolder = "dms", TimestampColumnName = "ts", \
UseTaskStartTimeForFullLoadTimestamp = true }
"""
MAPPINGS = {
    "rules": [
        {
            "rule-type": "selection",
            "rule-id": "1",
            "rule-name": "all",
            "rule-action": "include",
            "object-locator": {"schema-name": "%", "table-name": "%"},
        }
    ]
}
TYPES = (
    PgType("int8", "bigint"),
    PgType("varchar", "character varying(80)", typmod=84),
    PgType("numeric", "numeric(12,2)", typmod=((12 << 16) | 2) + 4),
    PgType("timestamptz", "timestamp with time zone"),
    PgType("bool", "boolean"),
)


def catalog(tables: int, columns: int) -> Catalog:
    """Tables with `columns` columns of five types; every hundredth has a column that Snowflake does not know yet."""
    made = []
    for number in range(tables):
        fields = [Column("id", 1, TYPES[0], nullable=False)]
        fields += [Column(f"c{i}", i + 1, TYPES[i % len(TYPES)]) for i in range(1, columns)]
        made.append(Table(number + 1, "app", f"t{number:05}", tuple(fields), primary_key=Key("pk", ("id",))))
    return Catalog(tuple(made), database="app", captured_at=datetime.now(UTC).isoformat())


def with_drift(before: Catalog) -> Catalog:
    changed = [
        dataclasses.replace(t, columns=(*t.columns, Column("added", 99, TYPES[1]))) if t.oid % 100 == 0 else t
        for t in before.tables
    ]
    return dataclasses.replace(before, tables=tuple(changed))


def prepare(folder: Path, tables: int, columns: int) -> None:
    (folder / "driftguard.toml").write_text(CONFIG)
    (folder / "mappings.json").write_text(json.dumps(MAPPINGS))
    config = load(directory=folder)
    landed = catalog(tables, columns)
    estate = Estate()
    tables_, pipes, tasks = [], [], []
    formats = estate.file_formats
    for operation in make_plan(build_context(config, landed, estate)).operations:
        one = operation.effect(Estate())
        tables_ += one.tables
        pipes += one.pipes
        tasks += one.tasks
        formats = one.file_formats
    estate = Estate(tuple(sorted(tables_, key=lambda t: t.name)), tuple(pipes), tuple(tasks), (), formats)
    estate = dataclasses.replace(estate, captured_at=landed.captured_at)
    assert after_revisions(estate, ())[0] is estate
    (folder / "aurora.json").write_text(dumps(with_drift(landed)))
    (folder / "snowflake.json").write_text(dumps(estate))


def measure(folder: Path) -> tuple[float, float, int]:
    """Wall seconds and peak MiB of one `check`, and the findings it made."""
    began = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-m", "driftguard", "check", "--dir", folder, "--source", folder / "aurora.json",
         "--against", folder / "snowflake.json", "--format", "json"],
        capture_output=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if process.returncode != 1:
        raise SystemExit(process.stderr.decode())
    findings = json.loads(process.stdout)["findings"]
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, len(findings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="1000,10000")
    parser.add_argument("--columns", type=int, default=20)
    arguments = parser.parse_args()
    first: tuple[int, float] | None = None
    print(f"{'tables':>8} {'seconds':>8} {'peak MiB':>9} {'findings':>9}   growth")
    for tables in map(int, arguments.tables.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder, tables, arguments.columns)
            seconds, memory, findings = min(measure(folder) for _ in range(3))
        growth = f"x{tables / first[0]:.0f} tables, x{seconds / first[1]:.1f} time" if first else ""
        first = first or (tables, seconds)
        print(f"{tables:>8} {seconds:>8.2f} {memory:>9.0f} {findings:>9}   {growth}")


if __name__ == "__main__":
    main()
