"""Extra connection attributes: `name=value;name=value` in one string, as endpoints carry it."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.errors import ConfigError

_TRUE = frozenset(("true", "y", "yes", "1"))
_FALSE = frozenset(("false", "n", "no", "0"))


def attributes(text: str) -> Iterator[tuple[str, str]]:
    """The (name, value) pairs of the string, in order. A part without a name comes as ("", "").

    A value can hold a `;` of its own (a delimiter, a password, a script), so what follows is a part without a name, or
    with a name that nobody knows. AWS documents no way to quote it. Such parts may be secrets: callers must not print
    a value whose name they do not know.
    Source: AWS DMS User Guide, "Extra connection attributes when using PostgreSQL as a DMS source".
    """
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip():
            yield name.strip(), value.strip()
        elif part.strip():
            yield "", ""


def typed(value: str, hint: str, where: str) -> bool | int | str:
    """The value as the API would have it: a boolean, a number or text by the type `hint` of the model's field."""
    word = value.lower()
    if hint == "bool":
        if word not in _TRUE | _FALSE:
            raise ConfigError(f"{where}: true or false is expected, not {value!r}")
        return word in _TRUE
    if hint == "int":
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise ConfigError(f"{where}: a number is expected, not {value!r}")
        return int(value)
    return value
