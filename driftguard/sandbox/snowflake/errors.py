"""What Snowflake answers when it refuses: number, SQLSTATE and text.

Numbers and texts follow docs.snowflake.com and the texts public clients match on. A number that no document gives is
marked `unsourced`; docs/sandbox.md lists them, and a client does well to match on the text as well.
"""

from __future__ import annotations

import re


class SnowflakeError(Exception):
    """One refused statement, as the connector will show it (`exc.errno`, `exc.sqlstate`, `exc.msg`)."""

    def __init__(self, errno: int, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.errno = errno
        self.sqlstate = sqlstate
        self.message = message


def compilation(errno: int, sqlstate: str, text: str) -> SnowflakeError:
    """An error found before anything ran."""
    return SnowflakeError(errno, sqlstate, f"SQL compilation error:\n{text}")


def syntax(unexpected: str, line: int = 1, position: int = 0) -> SnowflakeError:
    """001003 (42000): the text does not parse."""
    return compilation(1003, "42000", f"syntax error line {line} at position {position} unexpected '{unexpected}'.")


def unsupported(what: str) -> SnowflakeError:
    """Snowflake may well do this; the stand-in does not, and says so rather than guess."""
    return SnowflakeError(9999, "0A000", f"The sandbox's Snowflake stand-in does not support {what}.")


def not_exists(kind: str, name: str) -> SnowflakeError:
    """002003: missing or not granted, which Snowflake does not tell apart."""
    state = "42S02" if kind.lower() in {"table", "view", "object"} else "02000"
    return compilation(2003, state, f"{kind.capitalize()} '{name}' does not exist or not authorized.")


def operation_impossible() -> SnowflakeError:
    """002043 (02000): the object of SHOW or DESCRIBE is not there or not visible."""
    return compilation(2043, "02000", "Object does not exist, or operation cannot be performed.")


def already_exists(name: str) -> SnowflakeError:
    """002002 (42710)."""
    return compilation(2002, "42710", f"Object '{name}' already exists.")


def invalid_identifier(name: str) -> SnowflakeError:
    """000904 (42000); the number is unsourced."""
    return compilation(904, "42000", f"error line 1 at position 0\ninvalid identifier '{name}'")


def insufficient(kind: str, name: str) -> SnowflakeError:
    """003001 (42501)."""
    return SnowflakeError(
        3001, "42501", f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{name}'."
    )


def no_database(action: str) -> SnowflakeError:
    """090105 (22000)."""
    return SnowflakeError(
        90105,
        "22000",
        f"Cannot perform {action}. This session does not have a current database. "
        "Call 'USE DATABASE', or use a qualified name.",
    )


def no_schema(action: str) -> SnowflakeError:
    """090106 (22000)."""
    return SnowflakeError(
        90106,
        "22000",
        f"Cannot perform {action}. This session does not have a current schema. "
        "Call 'USE SCHEMA', or use a qualified name.",
    )


def invalid_value(value: str, prop: str) -> SnowflakeError:
    """001008 (22023): a property with a value that it cannot have."""
    return compilation(1008, "22023", f"invalid value [{value}] for parameter '{prop}'")


def invalid_property(prop: str, kind: str) -> SnowflakeError:
    """001420 (22023), number unsourced: a property that this kind of object does not have."""
    return compilation(1420, "22023", f"invalid property '{prop}' for '{kind}'")


def type_mismatch(expected: str, got: str, column: str) -> SnowflakeError:
    """002023 (22000): an expression that no implicit conversion brings into the column."""
    return compilation(
        2023,
        "22000",
        f"Expression type does not match column data type, expecting {expected} but got {got} for column {column}",
    )


def cast_failed(value: str, target: str) -> SnowflakeError:
    """100071 (22000): a value of a file that its column cannot take."""
    return SnowflakeError(100071, "22000", f"Failed to cast variant value {value} to {target}")


def null_in_not_null(column: str) -> SnowflakeError:
    """100072 (22000)."""
    return SnowflakeError(100072, "22000", f"NULL result in a non-nullable column {column}".strip())


CANCELLED = (604, "57014", "SQL execution canceled")

_OURS = re.compile(r"\bDG\|(\d+)\|(\w{5})\|(.*)\|DG", re.DOTALL)
_CONVERT = re.compile(
    r"[Cc]ould not (?:convert|cast) (?:string|value) ['\"](?P<value>.*?)['\"] to '?(?P<type>\w+)", re.DOTALL
)
_FIELD = re.compile(
    r"(?:invalid|out of range)? ?(?P<type>timestamp|date|time) field[^:]*: ?['\"](?P<value>[^'\"]*)['\"]"
)
_MISSING_COLUMN = re.compile(r"(?:Referenced column|Values list .*? does not have a column named) \"(?P<name>[^\"]*)\"")
_NO_COLUMN = re.compile(r"does not have a column named \"(?P<name>[^\"]*)\"")
_MISSING_TABLE = re.compile(r"Referenced table \"(?P<name>[^\"]*)\" not found")
_FUNCTION = re.compile(r"(?:Scalar|Table|Aggregate)?.*?Function with name \"?(?P<name>[\w$]+)\"? does not exist")


_CONSTANT = re.compile(r"'(?:[^']|'')*'")


def raise_sql(errno: int, sqlstate: str, text_sql: str) -> str:
    """DuckDB SQL that fails with this error; `text_sql` is an SQL expression for the text."""
    if _CONSTANT.fullmatch(text_sql):  # shorter SQL, which DuckDB reads faster
        return f"dg_error('DG|{errno}|{sqlstate}|{text_sql[1:-1]}|DG')"
    return f"dg_error('DG|{errno}|{sqlstate}|' || {text_sql} || '|DG')"


def from_engine(error: Exception) -> SnowflakeError:
    """The Snowflake error for what DuckDB said."""
    text = str(error)
    if ours := _OURS.search(text):
        return SnowflakeError(int(ours[1]), ours[2], ours[3])
    if match := _CONVERT.search(text) or _FIELD.search(text):
        return not_recognised(match["value"], match["type"])
    if match := _MISSING_COLUMN.search(text) or _NO_COLUMN.search(text) or _MISSING_TABLE.search(text):
        return invalid_identifier(match["name"])
    if match := _FUNCTION.search(text):
        return compilation(2140, "42601", f"Unknown function {match['name'].upper()}")
    kind = type(error).__name__
    if kind == "OutOfRangeException" or "out of range" in text.lower():
        return SnowflakeError(100039, "22003", f"Numeric value out of representable range: {text}")
    if kind == "ParserException":
        return compilation(1003, "42000", f"syntax error: {text}")
    if kind == "InterruptException":
        return SnowflakeError(*CANCELLED)
    if kind == "ConversionException":
        return SnowflakeError(100038, "22018", text)
    if kind == "BinderException":
        return compilation(2028, "42601", text)
    return SnowflakeError(603, "XX000", f"SQL execution internal error: {kind}: {text}")


def not_recognised(value: str, type_name: str) -> SnowflakeError:
    """The family of 'x is not recognized', by type."""
    name = type_name.upper()
    if name.startswith("TIMESTAMP"):
        return SnowflakeError(100035, "22007", f"Timestamp '{value}' is not recognized")
    if name == "DATE":
        return SnowflakeError(100040, "22007", f"Date '{value}' is not recognized")
    if name.startswith("TIME"):
        return SnowflakeError(100108, "22007", f"Time '{value}' is not recognized")
    if name.startswith("BOOL"):
        return SnowflakeError(100037, "22018", f"Boolean value '{value}' is not recognized")
    if name.startswith("JSON"):
        return SnowflakeError(100069, "22P02", f"Error parsing JSON: {value}")
    return SnowflakeError(100038, "22018", f"Numeric value '{value}' is not recognized")
