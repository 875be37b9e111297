"""Between an operation's fields and the literals of a revision file."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import Any, TypeVar, cast

from driftguard.errors import UsageError
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import SfType
from driftguard.sql.snowflake import parse_type

T = TypeVar("T")


def encode_fields(value: Any) -> dict[str, Any]:
    """A dataclass as a dictionary of literals; fields at their default are left out."""
    encoded = {}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if field.default is not dataclasses.MISSING and item == field.default:
            continue
        encoded[field.name] = _encode(item)
    return encoded


def _encode(value: Any) -> Any:
    if isinstance(value, ObjectName):
        return (value.database, value.schema, value.name)
    if isinstance(value, SfType):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if dataclasses.is_dataclass(value):
        return encode_fields(value)
    return value


def decode_fields(cls: type[T], arguments: dict[str, Any]) -> T:
    """The dataclass again. Raises `ValueError`, naming the field, for literals that do not fit."""
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cast(Any, cls))}
    unknown = set(arguments) - set(fields)
    if unknown:
        raise ValueError(f"no argument is called {sorted(unknown)[0]!r}")
    values = {}
    for name, field in fields.items():
        if name not in arguments:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise ValueError(f"the argument {name!r} is missing")
            continue
        try:
            values[name] = _decode(hints[name], arguments[name])
        except (ValueError, TypeError, UsageError) as error:
            raise ValueError(f"{name}: {error}") from None
    return cls(**values)


def _decode(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        (inner,) = (h for h in typing.get_args(hint) if h is not type(None))
        return _decode(inner, value)
    if hint is ObjectName:
        if not (isinstance(value, tuple | list) and len(value) == 3 and all(isinstance(v, str) for v in value)):
            raise ValueError("a name is (database, schema, name)")
        return ObjectName(*value)
    if hint is SfType:
        if not isinstance(value, str):
            raise ValueError("a type is text such as 'NUMBER(38,0)'")
        return parse_type(value)
    if origin is tuple:
        if not isinstance(value, tuple | list):
            raise ValueError("a list is expected")
        return tuple(_decode(typing.get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ValueError("a dictionary is expected")
        return decode_fields(cast(type[Any], hint), value)
    if isinstance(hint, type) and not (isinstance(value, hint) and (hint is bool or not isinstance(value, bool))):
        raise ValueError(f"{hint.__name__} is expected, not {value!r}")
    return value
