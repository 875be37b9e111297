"""Every type, with the values at its edges.

`tags` are the keys of typemaps/special_values.toml that single a value out; what becomes of it has to be what the type
maps say of such values, and of a value without tags that it arrives as it is. `family` says how to read it on both
sides (reading.py).
"""

from __future__ import annotations

from dataclasses import dataclass

LONG = 3000  # characters: over a LobMaxSize of 1 KB, under one of 1 MB
OVER_8000 = 9000


@dataclass(frozen=True, slots=True)
class Value:
    """A literal that PostgreSQL's input function of the type reads; None is NULL."""

    text: str | None
    tags: frozenset[str] = frozenset()

    @property
    def shown(self) -> str:
        return "NULL" if self.text is None else repr(self.text[:40])


@dataclass(frozen=True, slots=True)
class Sort:
    """A column of the table that carries the proof."""

    column: str
    type: str  # as DDL
    family: str
    values: tuple[Value, ...]


def v(text: str, *tags: str) -> Value:
    return Value(text, frozenset(tags))


def sort(column: str, type_: str, family: str, *values: str | Value) -> Sort:
    """Every column has a NULL too, as its last value."""
    return Sort(column, type_, family, (*(v(one) if isinstance(one, str) else one for one in values), Value(None)))


NINES = "9" * 38
EMOJI = "😀"
DIGITS_40 = "1234567890" * 4
WORDS = ("", " ", "  two  blanks  ", "NULL", "null", "\\N", 'it\'s "quoted"', "a\tb\nc\r\nd", f"é{EMOJI}漢", "\\", "'")

TYPES_DDL = """
CREATE TYPE mood AS ENUM ('sad', 'quite happy', 'it''s');
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE DOMAIN amount AS numeric(12,2) CHECK (VALUE > -1000000);
CREATE DOMAIN label AS text;
CREATE DOMAIN tally AS integer;
CREATE DOMAIN feeling AS mood;
CREATE DOMAIN moment AS timestamptz;
CREATE EXTENSION IF NOT EXISTS vector;
"""

SORTS: tuple[Sort, ...] = (
    # --- numbers
    sort("c_int2", "smallint", "number", "-32768", "32767", "0"),
    sort("c_int4", "integer", "number", "-2147483648", "2147483647", "0"),
    sort("c_int8", "bigint", "number", "-9223372036854775808", "9223372036854775807", "0"),
    sort("c_numeric_38", "numeric(38,0)", "number", NINES, f"-{NINES}", "0", v("NaN", "nan")),
    sort("c_numeric_10_2", "numeric(10,2)", "number", "99999999.99", "-0.01", "0.00", "0.1", v("NaN", "nan")),
    sort("c_numeric_38_37", "numeric(38,37)", "number", f"9.{NINES[1:]}", f"-0.{'0' * 36}1", v("NaN", "nan")),
    sort("c_numeric_38_38", "numeric(38,38)", "number", f"0.{NINES}", f"-0.{'0' * 37}1", v("NaN", "nan")),
    sort("c_numeric_39_2", "numeric(39,2)", "number", f"{NINES[1:]}.99", "-0.01", v("NaN", "nan")),
    sort("c_numeric_100_50", "numeric(100,50)", "number", f"{NINES}9.{NINES}9", f"0.{'0' * 49}1", v("NaN", "nan")),
    sort(
        "c_numeric",
        "numeric",
        "number",
        "0",
        "123456.789012",
        "0.3",
        "9" * 22,
        v("1e-20", "over_6_decimals"),
        v("0.0000005", "over_6_decimals"),
        v("-123.4567895", "over_6_decimals"),
        v("0.611111104488373", "over_6_decimals"),
        v("9" * 23, "over_22_digits"),
        v(f"{NINES}9", "over_22_digits"),
        v("NaN", "nan"),
        v("Infinity", "infinity"),
        v("-Infinity", "infinity"),
    ),
    sort("c_numeric_5_m2", "numeric(5,-2)", "number", "12300", "-9999900", "0"),
    sort("c_numeric_3_5", "numeric(3,5)", "number", "0.00999", "-0.00001"),
    sort("c_money", "money", "money", "92233720368547758.07", "-92233720368547758.08", "0.01"),
    sort(
        "c_float4",
        "real",
        "float4",
        "0.1",
        "3.4028235e38",
        "1e-45",
        "-0",
        v("NaN", "nan"),
        v("Infinity", "infinity"),
        v("-Infinity", "infinity"),
    ),
    sort(
        "c_float8",
        "double precision",
        "float8",
        "0.30000000000000004",
        "1.7976931348623157e308",
        "5e-324",
        "-0",
        "9007199254740993",
        v("NaN", "nan"),
        v("Infinity", "infinity"),
        v("-Infinity", "infinity"),
    ),
    # --- text
    sort("c_bool", "boolean", "bool", "true", "false"),
    sort("c_char", "char", "padded", "x", " "),
    sort("c_char5", "char(5)", "padded", "ab", "", "abcde", " a b"),
    sort("c_varchar10", "varchar(10)", "text", *WORDS[:4], EMOJI * 10, "\\N"),
    sort("c_varchar", "varchar", "text", *WORDS, v("x" * 300, "medium"), v("é" * OVER_8000, "medium", "over_8000")),
    sort("c_varchar20000", "varchar(20000)", "text", "", "short", v("y" * 18000, "long")),
    sort("c_text", "text", "text", *WORDS, v("漢" * LONG, "long"), v(EMOJI * LONG, "long")),
    sort(
        "c_json",
        "json",
        "json",
        '{"b": 1, "a": [true, null, 1.50]}',
        '{"Key": ["VALUE", "É", " "]}',
        "null",
        '""',
        '"\\u00e9"',
        v("1e400", "over_38_digits"),
        v("1.2345678901234567890e2", "over_38_digits"),
        "[]",
        "{}",
        v('{"a": 1, "a": 2}', "doubled_keys"),
        v('[{"b": {"a": 1, "a": 2}}]', "doubled_keys"),
        v(DIGITS_40, "over_38_digits"),
        v(f'["{"z" * LONG}"]', "long"),
    ),
    sort(
        "c_jsonb",
        "jsonb",
        "json",
        '{"b": 1, "a": [true, null, 1.50]}',
        "null",
        '""',
        '{"": {"": ""}}',
        '{"Key": ["VALUE", "É", " "]}',
        "0.1",
        "[]",
        v(f'{{"n": {DIGITS_40}}}', "over_38_digits"),
        v(f'["{"z" * LONG}"]', "long"),
    ),
    sort("c_uuid", "uuid", "text", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    sort("c_bytea", "bytea", "bytes", "", "\\x00", "\\x00ff80", "\\x616263", "\\x5c4e", v("\\x" + "ab" * LONG, "long")),
    sort("c_bit8", "bit(8)", "text", "00000000", "10101010"),
    sort("c_varbit16", "varbit(16)", "text", "", "1", "1010101010101010"),
    sort("c_varbit", "varbit", "text", "", "1" * 100),
    # --- dates and times
    sort(
        "c_date",
        "date",
        "date",
        "1970-01-01",
        v("0001-01-01", "early"),
        "1582-10-10",
        "1900-02-28",
        "2024-02-29",
        "9999-12-31",
        v("4713-01-01 BC", "bc"),
        v("0001-12-31 BC", "bc"),
        v("10000-01-01", "after_9999"),
        v("5874897-12-31", "after_9999"),
        v("infinity", "infinity"),
        v("-infinity", "infinity"),
    ),
    sort(
        "c_timestamp",
        "timestamp",
        "timestamp",
        "1970-01-01 00:00:00",
        "2024-03-10 02:30:00",
        "2024-11-03 01:30:00",
        v("0001-01-01 00:00:00", "early"),
        "1582-10-10 12:00:00",
        v("2024-06-30 23:59:59.123456", "micro"),
        v("1969-12-31 23:59:59.999999", "micro"),
        v("9999-12-31 23:59:59.999999", "micro"),
        v("4713-01-01 00:00:00 BC", "bc"),
        v("294246-12-31 23:59:59", "after_9999"),
        v("infinity", "infinity"),
        v("-infinity", "infinity"),
    ),
    sort(
        "c_timestamptz",
        "timestamptz",
        "timestamptz",
        "1970-01-01 00:00:00+00",
        "2024-03-10 02:30:00-08",
        "2024-11-03 01:30:00-07",
        "2024-11-03 01:30:00-08",
        "2024-01-01 00:00:00+15:59:59",
        v("0001-01-02 00:00:00+00", "early"),
        v("2024-06-30 23:59:59.123456+05:30", "micro"),
        v("9999-12-31 23:59:59.999999+00", "micro"),
        v("4713-01-02 00:00:00+00 BC", "bc"),
        v("294246-12-31 23:59:59+00", "after_9999"),
        v("infinity", "infinity"),
        v("-infinity", "infinity"),
    ),
    sort(
        "c_time",
        "time",
        "time",
        "00:00:00",
        "12:34:56.789",
        v("23:59:59.999999", "sub_millisecond"),
        v("00:00:00.000001", "sub_millisecond"),
        v("24:00:00", "end_of_day"),
    ),
    sort(
        "c_timetz",
        "timetz",
        "timetz",
        "00:00:00+00",
        "12:34:56.789+00",
        v("12:00:00+15:59:59", "offset"),
        v("12:00:00.123456-08", "offset", "sub_millisecond"),
        v("24:00:00+00", "end_of_day"),
    ),
    sort(
        "c_interval",
        "interval",
        "interval",
        "1 year 2 months 3 days 4 hours 5 minutes 6 seconds",
        "0",
        "1 mon",
        "178000000 years",
        v("-1 month +2 days -00:00:03", "signs_and_fractions"),
        v("1.5 seconds", "signs_and_fractions"),
        v("0.000001 seconds", "signs_and_fractions"),
        v("-infinity", "infinity"),
    ),
    # --- made of others
    sort("c_enum", "mood", "text", "sad", "quite happy", "it's"),
    sort("c_domain_numeric", "amount", "number", "9999999999.99", "-999999.99", v("NaN", "nan")),
    sort("c_domain_text", "label", "text", "", "\\N", v("q" * LONG, "long")),
    sort("c_domain_int", "tally", "number", "2147483647", "-1"),
    sort("c_domain_enum", "feeling", "text", "sad", "quite happy"),
    sort("c_domain_timestamptz", "moment", "timestamptz", "2024-03-10 02:30:00-08", v("infinity", "infinity")),
    sort("c_int_array", "integer[]", "text", "{}", "{1,2,NULL}", "[0:1]={7,8}", "{{1,2},{3,4}}"),
    sort("c_text_array", "text[]", "text", "{}", '{"a b","c\\"d",NULL,"","NULL"}', v(f"{{{'r' * LONG}}}", "long")),
    sort("c_timestamptz_array", "timestamptz[]", "text", '{"2024-03-10 02:30:00-08",infinity}'),
    sort("c_enum_array", "mood[]", "text", '{sad,"quite happy"}'),
    sort("c_composite", "pair", "text", '(1,"a b")', "(,)", '(1,"")'),
    sort("c_composite_array", "pair[]", "text", '{"(1,a)","(2,)"}'),
    sort("c_int4range", "int4range", "text", "[1,10)", "empty", "(,)", "[5,)"),
    sort("c_int8range", "int8range", "text", "[1,10)", "empty"),
    sort("c_numrange", "numrange", "text", "[1.1,2.2]", "empty", v(f"[0,{NINES * 8})", "over_255")),
    sort("c_tsrange", "tsrange", "text", '["2024-01-01 00:00:00","2024-01-02 00:00:00")', "empty"),
    sort("c_tstzrange", "tstzrange", "text", '["2024-01-01 00:00:00-08","2024-01-02 00:00:00+00")'),
    sort("c_daterange", "daterange", "text", "[2024-01-01,2024-02-01)"),
    sort("c_floatrange", "floatrange", "text", "[0.1,0.2)"),
    sort("c_int4multirange", "int4multirange", "text", "{}", "{[1,3),[5,8)}"),
    # --- geometry, networks, search
    sort("c_point", "point", "text", "(0,0)", "(-1.5,1e+300)"),
    sort("c_line", "line", "text", "{1,-1,0}"),
    sort("c_lseg", "lseg", "text", "[(0,0),(1,1)]"),
    sort("c_box", "box", "text", "(1,1),(0,0)"),
    sort("c_path", "path", "text", "[(0,0),(1,1)]", "((0,0),(1,1))"),
    sort("c_polygon", "polygon", "text", "((0,0),(1,1),(1,0))"),
    sort("c_circle", "circle", "text", "<(0,0),1.5>"),
    sort("c_inet", "inet", "text", "192.168.0.1", "192.168.0.1/24", "::1", "2001:db8::ff00:42:8329/64"),
    sort("c_cidr", "cidr", "text", "10.0.0.0/8", "::/0"),
    sort("c_macaddr", "macaddr", "text", "08:00:2b:01:02:03"),
    sort("c_macaddr8", "macaddr8", "text", "08:00:2b:01:02:03:04:05"),
    sort("c_tsvector", "tsvector", "text", "'a':1 'cat':2,3A", ""),
    sort("c_tsquery", "tsquery", "text", "'fat' & 'rat'"),
    # --- not in AWS's table
    sort("c_name", "name", "text", "x" * 63, ""),
    sort("c_quoted_char", '"char"', "text", "a"),
    sort("c_pg_lsn", "pg_lsn", "text", "16/B374D848"),
    sort("c_xid8", "xid8", "text", "18446744073709551615"),
    sort("c_pg_snapshot", "pg_snapshot", "text", "10:20:10,14,15"),
    sort("c_jsonpath", "jsonpath", "text", '$."a"[*]'),
    sort("c_regtype", "regtype", "text", "integer"),
    sort("c_xid", "xid", "text", "4294967295"),
    sort("c_cid", "cid", "text", "7"),
    sort("c_tid", "tid", "text", "(1,2)"),
    sort("c_txid_snapshot", "txid_snapshot", "text", "10:20:10,14,15"),
    sort("c_halfvec", "halfvec(2)", "text", "[1,2.5]"),
    sort("c_sparsevec", "sparsevec(5)", "text", "{1:1.5,3:2}/5"),
    sort("c_vector", "vector(3)", "text", "[1,2.5,-3]"),
)
