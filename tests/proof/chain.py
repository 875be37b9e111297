"""Carries every value through the whole chain once, under one profile of settings, and judges what arrived.

PostgreSQL → full load and WAL → Parquet → COPY → STAGING → MERGE → FINAL. What should arrive is told by the losses that
the type maps declare for the column; what arrived is read back in a session in America/Los_Angeles.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from outcomes import BECOMES, Limits
from psycopg import sql
from reading import FAMILIES, Family
from sorts import LONG, SORTS, TYPES_DDL, Sort, Value

from driftguard.commands.apply import apply
from driftguard.commands.plan import plan
from driftguard.commands.world import build_context, catalog_of, estate_of
from driftguard.config import load
from driftguard.model.emission import Hop, Loss, SpecialValue
from driftguard.model.landing import FinalColumn
from driftguard.sandbox.dms.switches import Switches
from driftguard.sandbox.environment import Sandbox, sync

# The stand-in keeps JSON as text: a number of 40 digits stays one.
UNSHOWN = {"over_38_digits"}
# By which way a value came: the id of its row is 1000 × the way + its number.
PATHS = ("full load", "insert", "update of NULL", "update of another value")
OVER_ANOTHER = PATHS.index("update of another value")


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings and switches that are tried together."""

    name: str
    s3: dict[str, Any] = field(default_factory=dict)
    postgresql: dict[str, Any] = field(default_factory=dict)
    lob_max_size_kb: int = 1024
    switches: Switches = field(default_factory=Switches)
    observed: str = ""  # typemaps/observed.toml
    records: bool = False  # STAGING keeps whole records

    @property
    def settings(self) -> list[str]:
        named = [f"{key}={value}" for key, value in (*self.s3.items(), *self.postgresql.items())]
        return [*named, f"LobMaxSize={self.lob_max_size_kb}"]

    def keys(self, value: Value, lob: bool) -> set[str]:
        """The keys of special_values.toml that hold for this value here."""
        found = set(value.tags) - {"micro", "long", "medium", "over_8000", "early"}
        size = self.postgresql.get("unboundedVarcharMaxSize", 8000)
        if {"early", "bc", "after_9999"} & set(value.tags):
            found.add("outside_1582_9999")
        if "micro" in value.tags and self.s3.get("ParquetTimestampInMillisecond"):
            found.add("sub_millisecond")
        if "long" in value.tags and lob and self.lob_max_size_kb * 1024 < LONG:
            found.add("over_lob_max_size")
        if ("medium" in value.tags and size < 300) or ("over_8000" in value.tags and size < 18000):
            found.add("over_unbounded_varchar_max_size")
        return found


@dataclass(slots=True)
class Line:
    """What came of one type, under all profiles."""

    comparisons: int = 0
    otherwise: int = 0  # values that arrived otherwise than they were, as declared
    said_by: set[str] = field(default_factory=set)  # proven_by of the hop from PostgreSQL to DMS, and its loss


@dataclass(slots=True)
class Tally:
    """What was compared, and what came out otherwise than declared."""

    values: int = 0
    comparisons: int = 0
    same: int = 0
    proven: int = 0
    assumed: int = 0
    unshown: int = 0  # comparisons of values that the stand-in cannot lose as Snowflake does
    measured: set[tuple[str, str, str]] = field(default_factory=set)  # (step, key, what becomes of it)
    typnames: set[str] = field(default_factory=set)  # pg_type.typname of the columns
    types: dict[str, Line] = field(default_factory=dict)
    lost: dict[str, set[str]] = field(default_factory=dict)  # column → outcomes other than "same"
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in ("values", "comparisons", "same", "proven", "assumed", "unshown"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.measured |= other.measured
        for name, line in other.types.items():
            own = self.types.setdefault(name, Line())
            own.comparisons += line.comparisons
            own.otherwise += line.otherwise
            own.said_by |= line.said_by
        self.typnames |= other.typnames
        self.wrong += other.wrong


def run(profile: Profile, directory: Path, database: str) -> Tally:
    """One sandbox, one table of all types, every value by all four ways."""
    sandbox = Sandbox.up(directory, aurora_url=database)
    try:
        _configure(directory, profile)
        with psycopg.connect(database, autocommit=True) as aurora:
            aurora.execute(TYPES_DDL)
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(s.column), sql.SQL(s.type)) for s in SORTS
            )
            aurora.execute(sql.SQL("CREATE TABLE proof (id bigint PRIMARY KEY, {})").format(columns))
            _insert(aurora, 0)
            config = load(directory=directory)
            plan(config, write_revision=True)
            apply(config)
            _moved(sync(directory, profile.switches))
            _insert(aurora, 1000)
            aurora.execute("INSERT INTO proof (id) SELECT id + 2000 FROM proof WHERE id < 1000")
            _insert(aurora, 3000, shift=1)
            _moved(sync(directory, profile.switches))
            _update(aurora)
            _moved(sync(directory, profile.switches))
            catalog, seen = catalog_of(config, None)
            estate, _ = estate_of(config, None)
            context = build_context(config, catalog, estate, seen=(seen,))
            (pair,) = context.pairs
            lobs = {c.source for c in pair.landing.emissions[0].columns if c.lob}
            tally = Tally()
            snowflake = sandbox.connect()
            with snowflake.cursor() as cursor:
                cursor.execute("ALTER SESSION SET TIMEZONE = 'America/Los_Angeles'")
            for one in SORTS:
                column = next((c for c in pair.landing.final_columns if c.source == one.column), None)
                assert column is not None, f"{one.column} does not land"
                (table,) = catalog.tables
                found = table.column(one.column)
                assert found is not None
                tally.typnames |= {found.type.name, found.type.resolved}
                _judge(one, column, one.column in lobs, profile, aurora, snowflake, tally)
            snowflake.close()
            return tally
    finally:
        sandbox.down()


def _configure(directory: Path, profile: Profile) -> None:
    def toml(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')

    s3 = {"DataFormat": "parquet", "BucketFolder": "dms", "TimestampColumnName": "dms_commit_ts",
          "UseTaskStartTimeForFullLoadTimestamp": True} | profile.s3  # fmt: skip
    path = directory / "driftguard.toml"
    head, _, _ = path.read_text(encoding="utf-8").partition("[dms.task.s3_settings]")
    style = ["[policy]", 'staging_style = "record"'] if profile.records else []
    lines = [*style, head, "[dms.task.s3_settings]", *(f"{k} = {toml(v)}" for k, v in s3.items())]
    lines += ["[dms.task.postgresql_settings]", *(f"{k} = {toml(v)}" for k, v in profile.postgresql.items())]
    lines += ["[dms.task.task_settings.TargetMetadata]", f"LobMaxSize = {profile.lob_max_size_kb}"]
    path.write_text("\n".join(lines), encoding="utf-8")
    (directory / "typemaps" / "observed.toml").write_text(profile.observed, encoding="utf-8")


def _insert(aurora: psycopg.Connection[Any], first: int, shift: int = 0) -> None:
    """A row for each number: every column's value of that number, or of the number `shift` further on."""
    for number in range(max(len(s.values) for s in SORTS)):
        here = [s for s in SORTS if number < len(s.values)]
        aurora.execute(
            sql.SQL("INSERT INTO proof (id, {}) VALUES (%s, {})").format(
                sql.SQL(", ").join(sql.Identifier(s.column) for s in here),
                sql.SQL(", ").join(
                    sql.SQL("%s::text::{}").format(sql.SQL(s.type))
                    if s.type != "money"
                    else sql.SQL("%s::text::numeric::money")
                    for s in here
                ),
            ),
            [first + number, *(s.values[(number + shift) % len(s.values)].text for s in here)],
        )


def _update(aurora: psycopg.Connection[Any]) -> None:
    """The rows of the third way were inserted without values, those of the fourth with others; each gets its own."""
    settings = sql.SQL(", ").join(sql.SQL("{0} = o.{0}").format(sql.Identifier(s.column)) for s in SORTS)
    for first in (2000, 3000):
        aurora.execute(
            sql.SQL("UPDATE proof p SET {} FROM proof o WHERE p.id = o.id + {} AND o.id < 1000").format(
                settings, sql.Literal(first)
            )
        )


def _moved(counts: dict[str, Any]) -> None:
    moved = counts["snowflake"]
    assert not moved["files_failed"], moved
    assert not moved["tasks_failed"], moved


def _judge(
    one: Sort,
    column: FinalColumn,
    lob: bool,
    profile: Profile,
    aurora: psycopg.Connection[Any],
    connection: Any,
    tally: Tally,
) -> None:
    """`connection` is to Snowflake, in a session of another time zone."""
    family = FAMILIES[one.family]
    if one.family == "padded" and profile.postgresql.get("TrimSpaceInChar", True):
        family = replace(family, left=lambda text: text.rstrip(" "))
    name = sql.Identifier(one.column).as_string(aurora)
    source = dict(
        aurora.execute(f"SELECT id, {family.postgres.format(c=name)} FROM proof".replace("%%", "%")).fetchall()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ID, {family.snowflake.format(c=column.name)} FROM ANALYTICS.FINAL.PROOF")
        target = dict(cursor.fetchall())
    line = tally.types.setdefault(one.type, Line())
    line.said_by.add(f"{column.hops[0].proven_by}, {column.loss.value.replace('_', ' ')}")
    outcomes = tally.lost.setdefault(one.column, set())
    special = {item.key: item for hop in column.hops for item in hop.special}
    varchar = profile.postgresql.get("unboundedVarcharMaxSize", 8000)
    limits = Limits(column.hops[0].after.partition("(")[0], profile.lob_max_size_kb * 1024, varchar)
    for number, value in enumerate(one.values):
        tally.values += 1
        keys = profile.keys(value, lob)
        declared = [special[key] for key in sorted(keys) if key in special]
        expected = [found for item in declared if (found := _expectation(item)) != "same"]
        before = target[(number + 1) % len(one.values)]  # as the full load left the value that the fourth way replaced
        by_path = []
        for way, path in enumerate(PATHS):
            left, right = source[1000 * way + number], target[1000 * way + number]
            outcome = _outcome(family, left, right)
            if outcome == "changed" and declared:
                outcome = _as_told(family, declared, left, right, limits)
            if way == OVER_ANOTHER and _stays(declared):
                outcome = "NULL" if right == before else f"not what was there, {before!s:.60}"
            by_path.append((outcome, None if right is None else family.right(right)))
            tally.comparisons += 1
            tally.same += outcome == "same"
            line.comparisons += 1
            line.otherwise += outcome != "same"
            if keys & UNSHOWN:
                tally.unshown += 1
                continue
            rests_on_aws = _documented(column.hops, declared)
            tally.proven += rests_on_aws
            tally.assumed += not rests_on_aws
            tally.measured |= {(h.step, i.key, i.becomes) for h in column.hops for i in h.special if i in declared}
            if outcome != "same":
                outcomes.add(outcome)
            if outcome not in (expected or ["same"]):
                shown = f"{left!s:.60} became {right!s:.60}"
                tally.wrong.append(
                    f"{profile.name}: {one.type} {value.shown} by {path}: {outcome}, declared {expected or 'same'}: {shown}"
                )
        if len(set(map(repr, by_path[:OVER_ANOTHER]))) != 1 or (
            by_path[0] != by_path[OVER_ANOTHER] and not _stays(declared)
        ):
            tally.wrong.append(f"{profile.name}: {one.type} {value.shown} arrives differently by its way: {by_path}")
    if column.loss is Loss.LOSSY and not outcomes:
        tally.wrong.append(f"{profile.name}: {one.type} is declared lossy, and every value arrived as it was")


def _outcome(family: Family, left: Any, right: Any) -> str:
    if left is None or right is None:
        return "same" if left is right else "NULL" if right is None else "changed"
    return "same" if family.left(left) == family.right(right) else "changed"


def _as_told(family: Family, declared: list[SpecialValue], left: Any, right: Any, limits: Limits) -> str:
    """ "changed" if it became what the maps say, else what it should have become."""
    wanted = family.left(left)
    for item in declared:
        if item.becomes in BECOMES:
            wanted = BECOMES[item.becomes](wanted, limits)
        elif _expectation(item) != "same":
            return f"changed, and nobody knows what {item.becomes!r} is"
    return "changed" if family.right(right) == wanted else f"changed, not to {wanted!s:.60}"


def _expectation(item: SpecialValue) -> str:
    """ "kept …" is the same, "NULL …" and in a new row "quarantined …" are NULL, anything else is another value."""
    if item.becomes.startswith("kept"):
        return "same"
    return "NULL" if item.becomes.startswith(("NULL", "quarantined")) else "changed"


def _stays(declared: list[SpecialValue]) -> bool:
    """Does the merge leave in FINAL what was there before?"""
    return any(item.becomes.startswith("quarantined") for item in declared)


def _documented(hops: tuple[Hop, ...], declared: list[SpecialValue]) -> bool:
    """Do AWS's documents, or a footer, say what DMS does with this value of this type?"""
    by_dms = [hop for hop in hops if hop.step in ("postgres_to_dms", "dms_to_parquet")]
    vague = any(h.proven_by == "stand-in only" or h.loss in (Loss.ASSUMED_EXACT, Loss.UNKNOWN) for h in by_dms)
    return not vague and all(item.documented for item in declared if any(item in hop.special for hop in by_dms))
