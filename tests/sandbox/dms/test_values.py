"""Types and values: each row cites the row of "Source data types for PostgreSQL" (AWS DMS User Guide, "Using a
PostgreSQL database as an AWS DMS source") or the setting that it stands for. Every value is written twice, by the full
load and out of the WAL, and read back from Parquet."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow.parquet as pq
import pytest

from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.emission.mappings import parse_mappings
from driftguard.errors import DriftguardError
from driftguard.model.settings import DmsTask, EndpointSettings, TaskSettings
from driftguard.sandbox.dms import DmsStandIn, StartReport, Switches

if TYPE_CHECKING:
    from conftest import Source

STAMP = "timestamp[us]"

# type, value as SQL, what the file holds, Arrow type as read back
ROWS: list[tuple[str, str, Any, str]] = [
    ("smallint", "-32768", -32768, "int16"),  # smallint: INT2
    ("integer", "2147483647", 2**31 - 1, "int32"),  # integer: INT4
    ("bigint", "-9223372036854775808", -(2**63), "int64"),  # bigint: INT8
    ("serial", "7", 7, "int32"),  # serial: INT4
    ("numeric(10,2)", "12345678.91", Decimal("12345678.91"), "decimal128(10, 2)"),  # numeric(p,s): NUMERIC
    ("numeric(38,0)", "9" * 38, Decimal("9" * 38), "decimal128(38, 0)"),
    ("numeric(38,37)", "1e-37", Decimal("1e-37"), "decimal128(38, 37)"),
    ("numeric(39,0)", "9" * 39, "9" * 39, "string"),  # p >= 39: STRING
    ("numeric(40,2)", "1.5", "1.50", "string"),
    ("numeric", "0.611111104488373", Decimal("0.611111"), "decimal128(28, 6)"),  # NUMERIC(28,6), the guide's example
    ("numeric", "0.0000005", Decimal("0.000001"), "decimal128(28, 6)"),
    ("numeric", "12345678901234567890123", None, "decimal128(28, 6)"),  # 23 digits before the point: open
    ("numeric", "'NaN'", None, "decimal128(28, 6)"),  # open
    ("numeric(6,2)", "'NaN'", None, "decimal128(6, 2)"),
    ("numeric", "'-Infinity'", None, "decimal128(28, 6)"),
    ("numeric(5,-2)", "12345", Decimal("12300"), "decimal128(7, 0)"),  # negative scale: open
    ("numeric(2,5)", "0.00012", Decimal("0.00012"), "decimal128(5, 5)"),  # scale above precision: open
    ("real", "1.5", 1.5, "float"),  # real: REAL4
    ("double precision", "0.1::float8 + 0.2::float8", 0.30000000000000004, "double"),  # double precision: REAL8
    ("double precision", "'-Infinity'", -math.inf, "double"),
    ("money", "-1234.56", Decimal("-1234.5600"), "decimal128(38, 4)"),  # money: NUMERIC(38,4)
    ("boolean", "true", "true", "string"),  # boolean: CHAR(5)
    ("boolean", "false", "false", "string"),
    ("char(5)", "'ab'", "ab", "string"),  # char(n): WSTRING(n); TrimSpaceInChar
    ("varchar(20)", "'a b '", "a b ", "string"),  # varchar(n): WSTRING(n)
    ("varchar", "repeat('x', 9000)", "x" * 8000, "string"),  # unboundedVarcharMaxSize, 8000 bytes
    ("varchar", "repeat('é', 4001)", "é" * 4000, "string"),
    ("text", "''", "", "string"),  # an empty text is not NULL
    ("text", "E'tab\\t nl\\n back\\\\ quote'' N'", "tab\t nl\n back\\ quote' N", "string"),
    ("text", "'\\N'", "\\N", "string"),
    ("text", "'😀'", "😀", "string"),
    ("text", "repeat('é', 20000)", "é" * 16384, "string"),  # text: NCLOB, two bytes a character, LobMaxSize 32 KB
    ("text", "repeat('😀', 9000)", "😀" * 8192, "string"),  # four bytes
    ("bytea", "'\\x00ff80'", b"\x00\xff\x80", "binary"),  # bytea: BLOB
    ("bytea", "decode(repeat('ab', 40000), 'hex')", b"\xab" * 32768, "binary"),
    ("json", '\'{"b":1, "a":  2}\'', '{"b":1, "a":  2}', "string"),  # json: NCLOB
    ("jsonb", '\'{"b":1, "a":  2}\'', '{"a": 2, "b": 1}', "string"),  # jsonb: NCLOB
    ("int[]", "'{1,NULL,3}'", "{1,NULL,3}", "string"),  # array: NCLOB
    ("text[]", "array['a,b', 'c\"d']", '{"a,b","c\\"d"}', "string"),
    ("pair", "row(1, 'x y')", '(1,"x y")', "string"),  # composite: NCLOB
    ("tsvector", "'a b'", "'a' 'b'", "string"),  # tsvector: CLOB
    ("tsquery", "'a & b'", "'a' & 'b'", "string"),
    ("path", "'((0,0),(1,1))'", "((0,0),(1,1))", "string"),  # path, polygon: CLOB
    ("polygon", "'((0,0),(1,1))'", "((0,0),(1,1))", "string"),
    ("timestamp", "'2024-02-29 13:14:15.123456'", dt.datetime(2024, 2, 29, 13, 14, 15, 123456), STAMP),  # DATETIME
    ("timestamptz", "'2024-02-29 13:14:15.1+05:30'", dt.datetime(2024, 2, 29, 7, 44, 15, 100000), STAMP),  # UTC: open
    ("timestamptz", "'1969-12-31 23:59:59.999999+00'", dt.datetime(1969, 12, 31, 23, 59, 59, 999999), STAMP),
    ("timestamp", "'infinity'", dt.datetime(9999, 12, 31, 23, 59, 59), STAMP),  # infinity
    ("date", "'2024-02-29'", dt.date(2024, 2, 29), "date32[day]"),  # date: DATE
    ("date", "'0001-01-01'", dt.date(1, 1, 1), "date32[day]"),
    ("date", "'infinity'", dt.date(9999, 12, 31), "date32[day]"),  # open
    ("time", "'13:14:15.123456'", dt.time(13, 14, 15, 123000), "time32[ms]"),  # time: TIME, TIME32
    ("time", "'24:00:00'", dt.time(23, 59, 59, 999000), "time32[ms]"),  # open
    ("timetz", "'13:14:15.5-07'", dt.time(13, 14, 15, 500000), "time32[ms]"),  # timetz: TIME, offset lost
    (  # interval: STRING(128), spelt as in the guide
        "interval",
        "'1 year 2 mons 3 days 04:05:06'",
        "1 YEAR, 2 MONTHS, 3 DAYS, 4 HOURS, 5 MINUTES, 6 SECONDS",
        "string",
    ),
    ("interval", "'-1 day +00:00:00.5'", "-1 DAY, 0.5 SECONDS", "string"),
    ("interval", "'0'", "0 SECONDS", "string"),
    ("interval", "'infinity'", "infinity", "string"),
    ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "string"),  # STRING
    ("mood", "'so so'", "so so", "string"),  # enum: STRING(64)
    ("cents", "12.345", Decimal("12.35"), "decimal128(8, 2)"),  # a domain as its base type: open
    ("cents_twice", "1", Decimal("1.00"), "decimal128(8, 2)"),
    ("words", "'{a}'", "{a}", "string"),  # a domain over an array
    ("inet", "'10.0.0.1'", "10.0.0.1", "string"),  # inet, cidr: STRING(50)
    ("cidr", "'10.0.0.0/8'", "10.0.0.0/8", "string"),
    ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03", "string"),  # macaddr: STRING(18)
    ("bit(4)", "B'0101'", "0101", "string"),  # bit(n): STRING(n)
    ("bit varying(8)", "B'01'", "01", "string"),
    ("point", "'(1,2)'", "(1,2)", "string"),  # point … circle: STRING(255)
    ("circle", "'<(1,2),3>'", "<(1,2),3>", "string"),
    ("int4range", "'[1,5)'", "[1,5)", "string"),  # int4range: STRING(255)
    ("daterange", "'[2024-01-01,)'", "[2024-01-01,)", "string"),  # not in the table: open
    ("nummultirange", "'{[1,2]}'", "{[1,2]}", "string"),
    ("pg_lsn", "'16/B374D848'", "16/B374D848", "string"),  # unknown to DMS: a string
    ("name", "'x'", "x", "string"),
    ("jsonpath", "'$.a'", '$."a"', "string"),
]

EVERYTHING = parse_mappings(
    {
        "rules": [
            {
                "rule-type": "selection",
                "rule-id": "1",
                "rule-action": "include",
                "object-locator": {"schema-name": "public", "table-name": "t"},
            }
        ]
    }
)


def written(url: str, place: Path, rows: list[tuple[str, str, Any, str]]) -> tuple[Path, Path, StartReport]:
    """A table with one column a row of the list, its values written by the full load and by CDC."""
    columns = ", ".join(f"c{n} {kind}" for n, (kind, _, _, _) in enumerate(rows))
    values = ", ".join(f"({value})::{'int' if kind == 'serial' else kind}" for kind, value, _, _ in rows)
    stand_in = DmsStandIn(
        source_url=url, task=DmsTask("values", EVERYTHING), lake=place, state_dir=place, name=f"values{place.name}"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('so so', 'well')")
        connection.execute("CREATE TYPE pair AS (a int, b text)")
        connection.execute("CREATE DOMAIN cents AS numeric(8,2) CHECK (value >= 0)")
        connection.execute("CREATE DOMAIN cents_twice AS cents")
        connection.execute("CREATE DOMAIN words AS text[]")
        connection.execute(f"CREATE TABLE t (id int PRIMARY KEY, {columns})".encode())
        connection.execute(
            "SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'"
        )
        connection.execute(f"INSERT INTO t VALUES (1, {values})".encode())
        report = stand_in.start()
        connection.execute(f"INSERT INTO t VALUES (2, {values})".encode())
        stand_in.sync()
        stand_in.remove()
    load, change = sorted((place / "dms/public/t").iterdir(), reverse=True)
    return load, change, report


@pytest.fixture(scope="module")
def both(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path, StartReport]]:
    url = postgres.create_database("values")
    yield written(url, tmp_path_factory.mktemp("values"), ROWS)
    postgres.drop_database("values")


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[f"{kind} {value[:20]}" for kind, value, _, _ in ROWS])
def test_what_a_value_becomes(both: tuple[Path, Path, StartReport], number: int) -> None:
    _, _, expected, arrow = ROWS[number]
    for path in both[:2]:
        column = pq.ParquetFile(path).read(columns=[f"c{number}"]).column(0)
        assert (column[0].as_py(), str(column.type)) == (expected, arrow), path.name


def test_losses_are_told_once_a_column_with_their_number(both: tuple[Path, Path, StartReport]) -> None:
    told = "\n".join(both[2].notices)
    assert "varchar without length cut to 8000 bytes (1 value)" in told
    assert "nclob cut to LobMaxSize, 32 KB (1 value)" in told
    assert "numeric rounded to 6 decimals (1 value)" in told
    assert "NaN in a DECIMAL(28,6) became NULL (1 value)" in told
    assert "time cut to milliseconds (1 value)" in told


def test_null_is_null_in_every_type(source: Source) -> None:
    columns = ", ".join(
        f"c{n} {kind}" for n, (kind, *_) in enumerate(ROWS) if kind not in ("serial",) and "_" not in kind
    )
    source.run("CREATE TYPE mood AS ENUM ('x')", "CREATE TYPE pair AS (a int)")
    source.run("CREATE DOMAIN cents AS int", "CREATE DOMAIN words AS text[]")
    source.run(f"CREATE TABLE t (id int PRIMARY KEY, {columns})", "INSERT INTO t (id) VALUES (1)")
    dms = source.dms()
    dms.start()
    source.run("INSERT INTO t (id) VALUES (2)")
    dms.sync()
    for row in source.loaded() + source.changes():
        assert {value for name, value in row.items() if name.startswith("c") and name != "commit_ts"} == {None}


def test_dates_before_christ_and_after_9999_are_exact_days(source: Source) -> None:
    """In "Using a PostgreSQL database as a source", limitations: -infinity becomes 4713-01-01 00:00:00 BC."""
    source.run(
        "CREATE TABLE t (id int PRIMARY KEY, d date, s timestamp)",
        "INSERT INTO t VALUES (1, '4713-01-01 BC', '-infinity'), (2, '12345-06-07', '294276-12-31 23:59:59')",
    )
    report = source.dms().start()
    (path,) = source.files()
    days, stamps = (
        pq.ParquetFile(path).read(columns=[name]).column(0).cast(kind)
        for name, kind in (("d", "int32"), ("s", "int64"))
    )
    row = source.connection.execute(
        "SELECT '4713-01-01 BC'::date - '1970-01-01', '12345-06-07'::date - '1970-01-01'"
    ).fetchone()
    assert row is not None
    assert days.to_pylist() == list(row)
    assert stamps.to_pylist() == [row[0] * 86_400_000_000, None]
    assert any("after the year 294247 became NULL" in notice for notice in report.notices)


def one(source: Source, column: str, value: str, **settings: Any) -> tuple[Any, str]:
    """The value and type in the full-load file of one column under some settings."""
    task_settings = settings.pop("task", TaskSettings())
    switches = settings.pop("switches", Switches())
    source.run(f"CREATE TABLE t (id int PRIMARY KEY, x {column})", f"INSERT INTO t VALUES (1, {value})")
    dms = source.dms(source.task(endpoint=EndpointSettings(**settings), settings=task_settings), switches)
    dms.start()
    (path,) = source.files()
    return source.loaded()[0]["x"], source.schema(path)["x"]


def test_map_boolean_as_boolean(source: Source) -> None:
    """API Reference, PostgreSQLSettings, MapBooleanAsBoolean."""
    assert one(source, "boolean", "false", map_boolean_as_boolean=True) == (False, "bool")


def test_timestamps_in_milliseconds(source: Source) -> None:
    """API Reference, S3Settings, ParquetTimestampInMillisecond."""
    value = one(source, "timestamp", "'1969-12-31 23:59:59.9999'", parquet_timestamp_in_millisecond=True)
    assert value == (dt.datetime(1969, 12, 31, 23, 59, 59, 999000), "timestamp[ms]")


def test_timestamp_annotated_as_adjusted_to_utc(source: Source) -> None:
    """Open at AWS, so a switch."""
    value = one(source, "timestamp", "'2024-01-01'", switches=Switches(timestamp_adjusted_to_utc=True))
    assert value == (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "timestamp[us, tz=UTC]")


def test_unbounded_numeric_as_string(source: Source) -> None:
    """In "Migrating NUMERIC and DECIMAL data types", MapUnboundedNumericAsString."""
    assert one(source, "numeric", "0.1234567890", map_unbounded_numeric_as_string=True) == ("0.1234567890", "string")


def test_blanks_of_char_are_kept_on_demand(source: Source) -> None:
    """API Reference, PostgreSQLSettings, TrimSpaceInChar."""
    assert one(source, "char(4)", "'ab'", trim_space_in_char=False)[0] == "ab  "


def test_long_varchar_can_be_a_lob(source: Source) -> None:
    """API Reference, PostgreSQLSettings, MapLongVarcharAs: for n > 16387."""
    value = "repeat('x', 17000)"
    assert len(one(source, "varchar(20000)", value, map_long_varchar_as="nclob")[0]) == 16384


def test_jsonb_as_clob_holds_twice_as_much(source: Source) -> None:
    """API Reference, PostgreSQLSettings, MapJsonbAsClob."""
    assert len(one(source, "jsonb", "to_jsonb(repeat('x', 30000))", map_jsonb_as_clob=True)[0]) == 30002


def test_a_smaller_lob_size_cuts_json_into_something_invalid(source: Source) -> None:
    """In "Setting LOB support": limited mode truncates to LobMaxSize."""
    settings = TaskSettings(lob_max_size_kb=1)
    assert len(one(source, "json", "to_json(repeat('x', 5000))", task=settings)[0]) == 512


def test_the_task_fails_on_truncation_if_told_to(source: Source) -> None:
    """API Reference, PostgreSQLSettings, FailTasksOnLobTruncation."""
    with pytest.raises(DriftguardError, match="longer than LobMaxSize"):
        one(source, "text", "repeat('x', 40000)", fail_tasks_on_lob_truncation=True)
    assert source.files() == []


def test_lobs_can_be_left_out(source: Source) -> None:
    """In "Target metadata task settings", SupportLobs."""
    source.run("CREATE TABLE t (id int PRIMARY KEY, x text, n int)", "INSERT INTO t VALUES (1, 'a', 2)")
    report = source.dms(source.task(settings=TaskSettings(support_lobs=False))).start()
    assert list(source.loaded()[0]) == ["Op", "id", "n", "commit_ts"]
    assert "public.t.x is not replicated: it is a LOB, and SupportLobs is false" in report.notices


def test_large_objects_are_not_migrated(source: Source) -> None:
    """In "Using a PostgreSQL database as a source", limitations: OID LOBs."""
    source.run("CREATE TABLE t (id int PRIMARY KEY, x oid)", "INSERT INTO t VALUES (1, lo_from_bytea(0, 'a'))")
    report = source.dms().start()
    assert "x" not in source.loaded()[0]
    assert "public.t.x is not replicated: DMS does not migrate its type" in report.notices
