"""Literals laid out for reading in a diff: one item a line once a line would get too long."""

from __future__ import annotations

from typing import Any

_WIDTH = 116


def render(value: Any, indent: int) -> str:
    """`value` (dictionaries, lists, tuples, strings, numbers, None) as Python source, starting at column `indent`."""
    flat = _flat(value)
    if len(flat) + indent <= _WIDTH or not isinstance(value, list | dict | tuple) or not value:
        return flat
    pad, close = " " * (indent + 4), " " * indent
    if isinstance(value, dict):
        body = "".join(f"{pad}{key!r}: {render(item, indent + 4)},\n" for key, item in value.items())
        return f"{{\n{body}{close}}}"
    opened, closed = ("[", "]") if isinstance(value, list) else ("(", ")")
    body = "".join(f"{pad}{render(item, indent + 4)},\n" for item in value)
    return f"{opened}\n{body}{close}{closed}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_flat(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flat(item) for item in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(_flat(item) for item in value) + ("," if len(value) == 1 else "") + ")"
    return repr(value)
