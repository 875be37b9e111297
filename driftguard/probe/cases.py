"""What the probe writes: every type with its boundary values, and the changes whose shape AWS leaves open.

Values that might stop a table (NaN, infinity, years that few programs know) have a table of their own, so that the rest
arrives without them. A type or value that this server does not have is left out and named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCHEMA = "driftguard_probe"
COMMENT = "made by driftguard probe; it drops it again"
LAST = 999_999  # the row that is written last into each table
LATER = 1000  # ids of rows that are inserted after the full load begin here
CHANGES = "changes"  # the table whose rows are updated and deleted

Kind = Literal["number", "float", "boolean", "bytes", "time", "json", "text"]


@dataclass(frozen=True, slots=True)
class Case:
    """A column of a probe table: its type, the values to try in PostgreSQL's text form, and how they are compared."""

    column: str
    type: str
    kind: Kind
    values: tuple[str, ...]


_NINES = "9" * 38
_EMOJI = "\U0001f600"
_MOMENTS = (
    "2024-03-10 02:30:00.123456",
    "1969-12-31 23:59:59.999999",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
)

DOCUMENTED = (
    Case("a_smallint", "smallint", "number", ("-32768", "32767", "0")),
    Case("a_integer", "integer", "number", ("-2147483648", "2147483647")),
    Case("a_bigint", "bigint", "number", ("-9223372036854775808", "9223372036854775807")),
    Case("a_numeric_10_2", "numeric(10,2)", "number", ("99999999.99", "-0.01")),
    Case("a_numeric_38_0", "numeric(38,0)", "number", (_NINES, f"-{_NINES}")),
    Case("a_numeric_38_10", "numeric(38,10)", "number", ("0.0000000001", "1234567890123456789012345678.0123456789")),
    Case("a_numeric_50_3", "numeric(50,3)", "number", ("9" * 47 + ".999",)),
    Case("a_numeric", "numeric", "number", ("0.3", "0.611111104488373", "1e-20")),
    Case("a_money", "money", "number", ("12.34", "-92233720368547758.08")),
    Case("a_real", "real", "float", ("0.1", "3.4028235e38", "-0")),
    Case("a_double", "double precision", "float", ("0.1", "1.7976931348623157e308", "5e-324")),
    Case("a_boolean", "boolean", "boolean", ("t", "f")),
    Case("a_char_5", "char(5)", "text", ("ab", "abcde")),
    Case("a_varchar_10", "varchar(10)", "text", ("", _EMOJI * 10, "\\N", "NULL")),
    Case("a_varchar", "varchar", "text", ("x", "y" * 9000)),
    Case("a_text", "text", "text", ("", "tab\t, quote \" ' and\nline", _EMOJI * 100)),
    Case("a_bytea", "bytea", "bytes", ("\\x", "\\x00ff5c27")),
    Case("a_timestamp", "timestamp", "time", _MOMENTS),
    Case("a_timestamptz", "timestamptz", "time", tuple(f"{m}+00" for m in _MOMENTS)),
    Case("a_date", "date", "time", ("2024-02-29", "0001-01-01", "9999-12-31")),
    Case("a_time", "time", "time", ("00:00:00", "23:59:59.999999")),
    Case("a_timetz", "timetz", "text", ("12:34:56.789+05:30",)),
    Case("a_interval", "interval", "text", ("1 year 2 mons 3 days 04:05:06.789", "-1 day", "0")),
    Case("a_uuid", "uuid", "text", ("00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    Case("a_json", "json", "json", ('{"a": 1, "a": 2}', "1" * 40, "null", '"\\u00fc"')),
    Case("a_jsonb", "jsonb", "json", ('{"b": [1, 2.50], "a": null}', "1" * 40, "null")),
    Case("a_xml", "xml", "text", ("<a>b</a>",)),
    Case("a_hstore", "hstore", "text", ('"a"=>"1"',)),
    Case("a_citext", "citext", "text", ("MiXed",)),
    Case("a_enum", f"{SCHEMA}.mood", "text", ("fine", 'not so "fine"')),
    Case("a_composite", f"{SCHEMA}.pair", "text", ('(1,"a b")',)),
    Case("an_integer_array", "integer[]", "text", ("{1,NULL,3}", "{}", "{{1,2},{3,4}}")),
    Case("a_text_array", "text[]", "text", ('{"a,b",NULL,"\\""}',)),
    Case("an_inet", "inet", "text", ("10.0.0.1/8", "::1")),
    Case("a_cidr", "cidr", "text", ("10.0.0.0/8",)),
    Case("a_macaddr", "macaddr", "text", ("08:00:2b:01:02:03",)),
    Case("a_bit_4", "bit(4)", "text", ("1010",)),
    Case("a_varbit_8", "bit varying(8)", "text", ("101",)),
    Case("a_point", "point", "text", ("(1,2)",)),
    Case("a_box", "box", "text", ("(2,2),(1,1)",)),
    Case("a_path", "path", "text", ("[(0,0),(1,1)]",)),
    Case("a_polygon", "polygon", "text", ("((0,0),(1,0),(1,1))",)),
    Case("a_circle", "circle", "text", ("<(1,2),3>",)),
    Case("a_tsvector", "tsvector", "text", ("'a':1 'b':2",)),
    Case("an_int4range", "int4range", "text", ("[1,5)", "empty")),
    Case("a_numrange", "numrange", "text", ("[1.5,2.5)",)),
)
UNDOCUMENTED = (
    Case("a_domain", f"{SCHEMA}.price", "number", ("12.34",)),
    Case("a_tsrange", "tsrange", "text", ('["2024-01-01 00:00:00","2024-01-02 00:00:00")',)),
    Case("a_tstzrange", "tstzrange", "text", ('["2024-01-01 00:00:00+00",)',)),
    Case("a_daterange", "daterange", "text", ("[2024-01-01,2024-02-01)",)),
    Case("an_int4multirange", "int4multirange", "text", ("{[1,3),[5,7)}",)),
    Case("a_macaddr8", "macaddr8", "text", ("08:00:2b:01:02:03:04:05",)),
    Case("a_pg_lsn", "pg_lsn", "text", ("16/B374D848",)),
    Case("a_name", "name", "text", ("a name",)),
    Case("a_jsonpath", "jsonpath", "text", ('$."a"',)),
    Case("a_regclass", "regclass", "text", ("pg_class",)),
    Case("an_oid", "oid", "text", ("4294967295",)),
    Case("a_varbit", "bit varying", "text", ("10101",)),
    Case("a_vector", "vector(3)", "text", ("[1,2,3]",)),
    Case("an_ltree", "ltree", "text", ("a.b.c",)),
    Case("a_geometry", "geometry", "text", ("POINT(1 2)",)),
)
EDGES = (
    Case("e_timestamp", "timestamp", "time", ("infinity", "-infinity", "4713-01-01 00:00:00 BC", "294276-12-31")),
    Case("e_timestamptz", "timestamptz", "time", ("infinity", "-infinity")),
    Case("e_date", "date", "time", ("infinity", "-infinity", "4713-01-01 BC", "5874897-12-31")),
    Case("e_time", "time", "time", ("24:00:00",)),
    Case("e_numeric", "numeric", "number", ("NaN", "Infinity", "-Infinity", "9" * 30)),
    Case("e_numeric_10_2", "numeric(10,2)", "number", ("NaN",)),
    Case("e_real", "real", "float", ("NaN", "Infinity", "-Infinity")),
    Case("e_double", "double precision", "float", ("NaN", "Infinity", "-Infinity")),
)

EDGE_TABLE = "edges"
TABLES: dict[str, tuple[Case, ...]] = {"documented": DOCUMENTED, "undocumented": UNDOCUMENTED, EDGE_TABLE: EDGES}
ALL_TABLES = (*TABLES, CHANGES)

# The changes: ids of the table `changes`, which is (id, small, large, flag).
UNTOUCHED, DELETED, OLD_KEY, NEW_KEY = 1, 2, 10, 11
LARGE = 8000  # characters of `large`: out of the row, and below any LobMaxSize
