"""DuckDB macros under the conversions of Snowflake: text in, value out, error with Snowflake's number or NULL.

Each conversion comes twice, `dg_x` (refuses) and `dg_try_x` (NULL). Accepted forms: "Date and time input and output
formats" (AUTO: the ISO forms, and whole numbers as an epoch), "TO_BOOLEAN", "Numeric data types".
"""

from __future__ import annotations

from driftguard.sandbox.snowflake.errors import raise_sql

_NUMERIC = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
_FLOAT = r"\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(?i:inf|infinity)|(?i:nan))\s*"
_DATE = r"\s*\d{4}-\d{1,2}-\d{1,2}([ T]\s*\d{1,2}:\d{1,2}(:\d{1,2}(\.\d*)?)?\s*(Z|[+-]\d{1,2}(:?\d{2})?)?)?\s*"
_TIME = r"\s*\d{1,2}:\d{1,2}(:\d{1,2}(\.\d*)?)?\s*"
_EPOCH = r"\s*-?\d+\s*"
_OFFSET = r"(:\d{1,2}(?:\.\d*)?)\s*(Z|[+-]\d{1,2}(:?\d{2})?)\s*$"


def _pair(name: str, check: str, value: str, number: int, state: str, text: str) -> list[str]:
    """The refusing and the trying form: `check` says whether the text is one, `value` converts it (NULL: it is not)."""
    refusal = raise_sql(number, state, text)
    return [
        f"CREATE OR REPLACE MACRO dg_try_{name}(x) AS CASE WHEN {check} THEN {value} END",
        f"CREATE OR REPLACE MACRO dg_{name}(x) AS CASE WHEN x IS NULL THEN NULL WHEN {check} AND {value} IS NOT NULL "
        f"THEN {value} ELSE {refusal} END",
    ]


def statements() -> list[str]:
    """All macros, in an order in which each finds the ones that it uses."""
    epoch = (
        "CAST(CASE WHEN abs(n) < 31536000000 THEN n * 1000000 WHEN abs(n) < 31536000000000 THEN n * 1000 "
        "WHEN abs(n) < 31536000000000000 THEN n ELSE n // 1000 END AS BIGINT)"
    )
    clean = "regexp_replace(regexp_replace(trim(x), '(\\.\\d{6})\\d+', '\\1'), '\\s+([+-]\\d|Z)', '\\1')"
    plain = f"regexp_replace({clean}, '{_OFFSET}', '\\1')"
    true = "lower(trim(x)) IN ('true', 't', 'yes', 'y', 'on', '1')"
    false = "lower(trim(x)) IN ('false', 'f', 'no', 'n', 'off', '0')"
    is_time = f"regexp_full_match(x, '{_DATE}')"
    is_epoch = f"regexp_full_match(x, '{_EPOCH}')"
    as_epoch = "dg_epoch(TRY_CAST(x AS BIGINT))"
    numeric = "'Numeric value ''' || x || ''' is not recognized'"
    moment = "'Timestamp ''' || x || ''' is not recognized'"
    return [
        "CREATE OR REPLACE MACRO dg_error(x) AS error(x)",
        "CREATE OR REPLACE MACRO dg_try_error(x) AS CASE WHEN x IS NULL THEN NULL END",
        f"CREATE OR REPLACE MACRO dg_epoch(n) AS {epoch}",
        *_pair("numeric", f"regexp_full_match(x, '{_NUMERIC}')", "trim(x)", 100038, "22018", numeric),
        *_pair("float", f"regexp_full_match(x, '{_FLOAT}')", "TRY_CAST(trim(x) AS DOUBLE)", 100038, "22018", numeric),
        *_pair(
            "bool",
            f"({true} OR {false})",
            f"({true})",
            100037,
            "22018",
            "'Boolean value ''' || x || ''' is not recognized'",
        ),
        *_pair(
            "ntz",
            f"({is_time} OR {is_epoch})",
            f"(CASE WHEN {is_epoch} THEN make_timestamp({as_epoch}) ELSE TRY_CAST({plain} AS TIMESTAMP) END)",
            100035,
            "22007",
            moment,
        ),
        *_pair(
            "tz",
            f"({is_time} OR {is_epoch})",
            f"(CASE WHEN {is_epoch} THEN make_timestamptz({as_epoch}) ELSE TRY_CAST({clean} AS TIMESTAMPTZ) END)",
            100035,
            "22007",
            moment,
        ),
        *_pair(
            "date",
            f"({is_time} OR {is_epoch})",
            f"(CASE WHEN {is_epoch} THEN CAST(make_timestamp({as_epoch}) AS DATE) "
            f"ELSE CAST(TRY_CAST({plain} AS TIMESTAMP) AS DATE) END)",
            100040,
            "22007",
            "'Date ''' || x || ''' is not recognized'",
        ),
        *_pair(
            "time",
            f"regexp_full_match(x, '{_TIME}')",
            "TRY_CAST(regexp_replace(trim(x), '(\\.\\d{6})\\d+', '\\1') AS TIME)",
            100108,
            "22007",
            "'Time ''' || x || ''' is not recognized'",
        ),
        "CREATE OR REPLACE MACRO dg_key_twice(x) AS EXISTS (SELECT 1 FROM json_tree(TRY_CAST(x AS JSON)) AS tree "
        "WHERE tree.key IS NOT NULL GROUP BY tree.parent, tree.key HAVING count(*) > 1)",
        *_pair("json", "NOT dg_key_twice(x)", "TRY_CAST(x AS JSON)", 100069, "22P02", "'Error parsing JSON: ' || x"),
        *_pair("json_d", "true", "TRY_CAST(x AS JSON)", 100069, "22P02", "'Error parsing JSON: ' || x"),
        *_pair(
            "hex",
            "regexp_full_match(x, '([0-9A-Fa-f]{2})*')",
            "unhex(x)",
            100115,
            "22000",
            "'The following string is not a legal hex-encoded value: ''' || x || ''''",
        ),
        "CREATE OR REPLACE MACRO dg_try_divide(a, b) AS CASE WHEN b <> 0 THEN a / b END",
        "CREATE OR REPLACE MACRO dg_divide(a, b) AS CASE WHEN b = 0 THEN "
        + raise_sql(100051, "22012", "'Division by zero'")
        + " ELSE a / b END",
        "CREATE OR REPLACE MACRO dg_json_text(x) AS json_extract_string(x, '$')",
        "CREATE OR REPLACE MACRO dg_md5_lower64(x) AS CAST(('0x' || substr(md5(x), 17, 16)) AS UBIGINT)",
        "CREATE OR REPLACE MACRO dg_md5_upper64(x) AS CAST(('0x' || substr(md5(x), 1, 16)) AS UBIGINT)",
        "CREATE OR REPLACE MACRO dg_split_part(s, d, n) AS CASE WHEN n = 0 THEN split_part(s, d, 1) "
        "ELSE split_part(s, d, CAST(n AS BIGINT)) END",
    ]
