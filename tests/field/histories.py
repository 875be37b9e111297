"""driftguard on the histories of public projects: every migration planned and applied, one after the other.

    python tests/field/histories.py --checkouts DIR [--server [NAME=]URL]…     (DIR holds clones of the projects below)

A history runs on a shadow database as the project's own tool would run it. After each migration driftguard plans for the
new catalog, with the one before it as lineage, and the plan is applied to a model of Snowflake through all its phases.
At the end the result must equal planning the last catalog from nothing. Results go to docs/field-results.md; nothing
of the projects is kept.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "field")]

from checkouts import commit_of, find, write_part  # noqa: E402

from driftguard.aurora.frameworks import Framework, Migration, Skipped, choose  # noqa: E402
from driftguard.aurora.shadow import FailedMigration, Shadow  # noqa: E402
from driftguard.sql.statements import split  # noqa: E402
from journey import Journey, Step  # noqa: E402

TITLE = "Public histories, step by step"
_EXTENSION = re.compile(r'^extension "(?P<name>[^"]+)" is not available')


@dataclass(frozen=True)
class History:
    """`repository` as GitHub spells it; `path` is the folder of its migrations. `first` is what its tool makes itself."""

    repository: str
    path: str
    first: str = ""


DIESEL = (
    "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now())"
)
HISTORIES = (
    History("LemmyNet/lemmy", "migrations", DIESEL),
    History("rust-lang/crates.io", "migrations"),
    History("ministryofjustice/hmpps-interventions-service", "src/main/resources/db/migration"),
    History("documenso/documenso", "packages/prisma/migrations"),
    History("concourse/concourse", "atc/db/migration/migrations"),
    History("mindersec/minder", "database/migrations"),
    History("hatchet-dev/hatchet", "cmd/hatchet-migrate/migrate/migrations"),
    History("ory/hydra", "persistence/sql/migrations"),
)


@dataclass
class Result:
    """What one history showed."""

    history: History
    commit: str = ""
    framework: str = ""
    server: str = ""
    steps: list[Step] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # migrations that are not SQL
    failed: list[str] = field(default_factory=list)  # migrations that the server refused
    without: Counter[str] = field(default_factory=Counter)  # extensions that the server does not have
    tables: int = 0
    differences: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def defects(self) -> list[str]:
        return [f"{step.name}: {defect}" for step in self.steps for defect in step.defects]

    @property
    def good(self) -> bool:
        return not self.defects and not self.differences


class One:
    """A folder of which a single migration is known."""

    name = "one"

    def __init__(self, migration: Migration) -> None:
        self._migration = migration

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        assert folder
        return (self._migration,), ()


def run(history: History, folder: Path, server: str | None) -> Result:
    result = Result(history)
    began = time.monotonic()
    framework: Framework = choose(folder)
    result.framework = framework.name
    migrations, skipped = framework.read(folder)
    result.skipped = [f"{s.path.name}: {s.reason}" for s in skipped if s.reason.startswith("written in")]
    journey = Journey()
    with Shadow(server) as shadow:
        shadow.prepare(None)
        if history.first:
            with psycopg.connect(shadow.url, autocommit=True) as connection:
                connection.execute(history.first.encode())
        for migration in migrations:
            ran = _run(shadow, folder, migration, result)
            if not ran:
                continue
            result.server = f"PostgreSQL {shadow.after.server_version.split()[0]}"
            step = journey.step(migration.name, shadow.after)
            result.steps.append(step)
            for defect in step.defects:
                print(f"  {step.name}: {defect}", flush=True)
    assert journey.catalog is not None
    result.tables = len(journey.catalog.tables)
    result.differences, result.refused = journey.at_once()
    result.seconds = time.monotonic() - began
    return result


def _run(shadow: Shadow, folder: Path, migration: Migration, result: Result) -> bool:
    """Extensions that the server does not have are left out, and so are migrations that fail; both are told."""
    while True:
        try:
            shadow.run_migrations(folder, framework=One(migration))
            return True
        except FailedMigration as error:
            lacks = _EXTENSION.match(str(error).partition(": ")[2])
            less = _without_extension(migration, lacks["name"]) if lacks else migration
            if less.sql != migration.sql:
                result.without[lacks["name"]] += 1  # type: ignore[index]
                migration = less
                continue
            result.failed.append(str(error))
            return False


def _without_extension(migration: Migration, name: str) -> Migration:
    sql = migration.sql
    for statement in split(sql):
        if statement.words[:2] == ("CREATE", "EXTENSION") and name in statement.text:
            sql = sql.replace(statement.text, "")
    return replace(migration, sql=sql)


# --- the page -------------------------------------------------------------------------------------------------------


def page(results: list[Result]) -> str:
    lines = [
        "Each migration of these histories ran on a shadow database, in the order of the project's own tool. After each one",
        "driftguard planned for the new catalog and the plan was applied to a model of Snowflake, through all its phases; then",
        "it planned again, which must give nothing. At the end the model is compared with planning the last catalog from",
        "nothing: the columns in use by name, their types, keys, pipes and merges. Where a type can only have become wider",
        "on the way it counts as equal. Tables were empty: back-fills and values are not part of this. Made by",
        "`make field-histories HISTORIES_DIR=…`; nothing of the projects is in this repository.",
        "",
        "| history | commit | run by | steps | another catalog | with operations | more than new tables and columns "
        "| operations | refusals | planned again | without its hazard | differences at the end | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(result) for result in results]
    total = Counter[str]()
    for result in results:
        for step in result.steps:
            total.update(step.kinds)
    lines += ["", f"All operations: {_counted(total)}."]
    for result in results:
        lines += ["", f"### {result.history.repository}", "", *_details(result)]
    return "\n".join(lines)


def _row(r: Result) -> str:
    defects = r.defects
    working = [step for step in r.steps if step.kinds]
    cells = (
        r.history.repository, f"`{r.commit[:12]}`", f"{r.framework}, {r.server}", len(r.steps),
        sum(step.changed for step in r.steps), len(working), sum(not step.trivial for step in working),
        sum(step.kinds.total() for step in r.steps), sum(len(step.refusals) for step in r.steps),
        sum(": planned again" in d for d in defects), sum("without a hazard" in d for d in defects),
        len(r.differences), f"{r.seconds:.0f}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _details(r: Result) -> list[str]:
    operations, hazards, refusals = Counter[str](), Counter[str](), Counter[str]()
    for step in r.steps:
        operations.update(step.kinds)
        hazards.update(step.hazards)
        refusals.update(reason(note) for note in step.refusals)
    lines = [f"{r.tables} tables at the end. Operations: {_counted(operations)}."]
    lines += [f"Hazards: {_counted(hazards)}."] if hazards else []
    for title, entries in (
        ("Refusals, by reason", [f"{count} × {text}" for text, count in refusals.most_common()]),
        ("Defects", r.defects),
        ("Differences at the end that the last plan does not tell", r.differences),
        ("Differences at the end that the last plan refuses", _grouped(r.refused)),
        ("Migrations that are not SQL, and were not run", r.skipped),
        ("Migrations that the server refused", r.failed),
        ("Extensions that the server does not have, left out", [f"{k} ({v}×)" for k, v in r.without.items()]),
    ):
        if entries:
            lines += ["", f"{title}:", "", *(f"- {entry}" for entry in entries)]
    return lines


def reason(note: str) -> str:
    """A plan's note without the names in it: what is left is the same for the same reason."""
    text = note.partition(": ")[2] or note
    return re.sub(r"\b[\w$]+(\.[\w$]+)+\b|'[^']*'", "…", re.sub(r"\([^()]*, [^()]*\)|\(\w+\)", "(…)", text))


def _grouped(entries: list[str]) -> list[str]:
    """Differences of one sort in one line."""
    sorts = Counter(re.sub(r"^\S+( is )?:? ?", "", entry) for entry in entries)
    return [f"{count} × {sort}" for sort, count in sorts.most_common()]


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in counter.most_common()) or "none"


def _server(servers: list[str], history: History) -> str | None:
    """Its own, else the one for all, else the embedded PostgreSQL."""
    named = {
        name: url
        for text in servers
        if "://" not in (name := text.partition("=")[0])
        for url in [text[len(name) + 1 :]]
    }
    own = next((url for name, url in named.items() if name in history.repository), None)
    return own or next((text for text in servers if "://" in text.partition("=")[0]), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkouts", type=Path, required=True, help="a folder with clones of the projects")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="[NAME=]URL",
        help="a PostgreSQL with the extensions that the histories use, or that the one called NAME uses",
    )
    parser.add_argument("--only", help="run the histories whose name contains this, and write no page")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "field-results.md")
    options = parser.parse_args()
    results = []
    for history in HISTORIES:
        if options.only and options.only not in history.repository:
            continue
        place = find(options.checkouts, history.repository)
        if place is None or not (place / history.path).is_dir():
            print(f"{history.repository}: no clone with {history.path} in {options.checkouts}, left out")
            continue
        print(f"{history.repository} …", flush=True)
        result = run(history, place / history.path, _server(options.server, history))
        result.commit = commit_of(place)
        results.append(result)
        print(_row(result), flush=True)
    if not results:
        print("nothing was run")
        return 2
    if options.only:
        print(page(results))
    else:
        write_part(options.out, TITLE, page(results))
        print(f"wrote {options.out}")
    return 0 if all(result.good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
