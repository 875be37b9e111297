"""A catalog or an estate as JSON text: sorted, compact, one column a line, so that a change is a readable diff.

The shape follows the dataclasses of `model.catalog` and `model.snowflake`: a field is a key, a field with its default
value is left out. Two things differ. The header says what the file is, and a type that many columns share is written
once, under `types`, and named by its text in the columns. A new optional field needs no new version; files with
fields this version does not know are refused, because leaving them out would be a silent loss.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from typing import Any, Final, TypeVar

from driftguard.errors import SnapshotError
from driftguard.model.catalog import Catalog, Column, PgType, Table, Unseen, new_column
from driftguard.model.collecting import without_gc
from driftguard.model.snowflake import Ancestor, Estate, SfTable, SfType

VERSION: Final = 1
_MARK: Final = "driftguard_snapshot"
_KINDS: Final[dict[type, tuple[str, type]]] = {Catalog: ("aurora", PgType), Estate: ("snowflake", SfType)}
_SCALARS: Final = frozenset({str, int, bool, type(None)})

T = TypeVar("T")
_Decoder = Callable[[Any], Any]


class _Misfit(Exception):
    """A value that does not fit its field; the text says where and why."""


def dumps(value: Catalog | Estate) -> str:
    """The snapshot's text, ending in a newline. The same value gives the same text, in whatever order its parts are."""
    kind, shared = _KINDS[type(value)]
    writer = _Writer(shared)
    body = writer.fields(value, sort=True)
    head: dict[str, Any] = {_MARK: VERSION, "kind": kind}
    scalars = {k: v for k, v in body.items() if not isinstance(v, list)}
    lists = {k: v for k, v in body.items() if isinstance(v, list)}
    names = dict(sorted((key, plain) for key, plain in writer.shared_plain.items()))
    parts = [f"{_text(k)}: {_text(v)}" for k, v in (head | dict(sorted(scalars.items()))).items()]
    if names:
        parts.append('"types": {\n' + ",\n".join(f"  {_text(k)}: {_text(v)}" for k, v in names.items()) + "\n}")
    parts += [f"{_text(k)}: {_lines(v)}" for k, v in sorted(lists.items())]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def load_catalog(text: str, where: str = "snapshot") -> Catalog:
    """The catalog in `text`. `where` names the file in errors. Raises SnapshotError with one line."""
    return _load(text, where, Catalog)


def load_estate(text: str, where: str = "snapshot") -> Estate:
    """The estate in `text`. `where` names the file in errors. Raises SnapshotError with one line."""
    return _load(text, where, Estate)


def kind_of(text: str, where: str = "snapshot") -> str:
    """`aurora` or `snowflake`. Raises SnapshotError when the text is no snapshot of this version."""
    return str(_parse(text, where)["kind"])


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        hint = "it holds a merge conflict; take a new snapshot" if "\n<<<<<<< " in text else "take a new snapshot"
        place = f"line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else "number"
        raise SnapshotError(f"{where} is not JSON ({place})", hint=hint) from None
    except RecursionError:
        raise SnapshotError(f"{where} is not a driftguard snapshot", hint="it is nested too deeply") from None
    if not isinstance(document, dict) or _MARK not in document:
        raise SnapshotError(f"{where} is not a driftguard snapshot", hint="make one with `driftguard snapshot`")
    if type(document[_MARK]) is not int or document[_MARK] != VERSION:
        raise SnapshotError(
            f"{where} is a snapshot of version {_short(document[_MARK])}, this driftguard reads version {VERSION}",
            hint="take a new snapshot with this version",
        )
    known = [kind for kind, _ in _KINDS.values()]
    if document.get("kind") not in known:
        raise SnapshotError(
            f"{where} is a snapshot of kind {_short(document.get('kind'))}", hint=f"known kinds: {', '.join(known)}"
        )
    return document


def _load(text: str, where: str, cls: type[T]) -> T:
    wanted, shared = _KINDS[cls]
    with without_gc():
        document = _parse(text, where)
        kind = document.pop("kind")
        if kind != wanted:
            raise SnapshotError(f"{where} is a snapshot of kind {kind}, and one of kind {wanted} is needed")
        del document[_MARK]
        try:
            known = _types(document.pop("types", {}), shared)
            value: T = _Reader(shared, known).decoder(cls)(document)
        except _Misfit as error:
            raise SnapshotError(f"{where} is damaged: {error}", hint="take a new snapshot") from None
    return value


def _types(document: Any, shared: type) -> dict[str, Any]:
    if type(document) is not dict:
        raise _Misfit("types: not an object")
    decode = _Reader(shared, None).decoder(shared)
    found: dict[str, Any] = {}
    for key, plain in document.items():
        try:
            found[key] = decode(plain)
        except _Misfit as error:
            raise _Misfit(f"types.{key}: {error}") from None
    return found


# --- writing --------------------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, shared: type) -> None:
        self._shared = shared
        self._keys: dict[Any, str] = {}
        self._defaults: dict[type, tuple[tuple[str, Any], ...]] = {}
        self.shared_plain: dict[str, Any] = {}

    def plain(self, value: Any) -> Any:
        cls = type(value)
        if cls in _SCALARS:
            return value
        if cls is tuple:
            return [self.plain(item) for item in value]
        if cls is self._shared:
            return self._key(value)
        return self.fields(value)

    def fields(self, value: Any, *, sort: bool = False) -> dict[str, Any]:
        """The fields that differ from their defaults. With `sort`, lists of named things are put in order."""
        cls = type(value)
        defaults = self._defaults.get(cls)
        if defaults is None:
            defaults = self._defaults[cls] = tuple((f.name, _default(f)) for f in dataclasses.fields(cls))
        found: dict[str, Any] = {}
        for name, default in defaults:
            item = getattr(value, name)
            if item != default:
                found[name] = self.plain(tuple(sorted(item, key=_order)) if sort and type(item) is tuple else item)
        return found

    def _key(self, value: Any) -> str:
        key = self._keys.get(value)
        if key is None:
            base = key = value.text if isinstance(value, PgType) else str(value)
            number = 1
            while key in self.shared_plain:
                number += 1
                key = f"{base} #{number}"
            self._keys[value] = key
            self.shared_plain[key] = self.fields(value)
        return key


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default  # MISSING, which equals nothing, where there is none


def _order(item: Any) -> tuple[Any, ...]:
    """By name, whatever kind of thing it is; what else tells two things of one name apart comes after."""
    if isinstance(item, Table):
        return (item.schema, item.name, item.oid)
    if isinstance(item, tuple):
        return item
    if isinstance(item, str):
        return (item,)
    if isinstance(item, Unseen):
        return (item.what, item.reason)
    if isinstance(item, Ancestor):
        return (item.landing, item.column, repr(item))
    return (item.name, getattr(item, "arguments", ""), "" if isinstance(item, SfTable) else repr(item))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _lines(items: list[Any]) -> str:
    """A list with one item a line; the columns of a table on lines of their own."""
    if not items:
        return "[]"
    return "[\n" + ",\n".join(_item(item) for item in items) + "\n]"


def _item(item: Any) -> str:
    if not isinstance(item, dict) or not isinstance(item.get("columns"), list):
        return f"  {_text(item)}"
    rest = {key: value for key, value in item.items() if key != "columns"}
    columns = ",\n".join(f"    {_text(column)}" for column in item["columns"])
    inner = f"\n{columns}\n  " if columns else ""
    return f'  {_text(rest)[:-1]}, "columns": [{inner}]' + "}"


# --- reading --------------------------------------------------------------------------------------------------------


class _Reader:
    """Makes, from a dataclass's type hints, a function that builds it from plain JSON values and checks them."""

    def __init__(self, shared: type, known: dict[str, Any] | None) -> None:
        self._shared = shared
        self._known = known
        self._made: dict[Any, _Decoder] = {}

    def decoder(self, hint: Any) -> _Decoder:
        made = self._made.get(hint)
        if made is None:
            made = self._made[hint] = self._make(hint)
        return made

    def _make(self, hint: Any) -> _Decoder:
        if hint in (str, int, bool):
            return _scalar(hint)
        if typing.get_origin(hint) in (types.UnionType, typing.Union):
            (inner,) = (a for a in typing.get_args(hint) if a is not type(None))
            return _optional(self.decoder(inner))
        if typing.get_origin(hint) is tuple:
            arguments = typing.get_args(hint)
            if arguments[-1] is Ellipsis:
                return _many(self.decoder(arguments[0]))
            return _fixed([self.decoder(a) for a in arguments])
        if hint is self._shared and self._known is not None:
            return _lookup(self._known)
        return self._dataclass(hint)

    def _dataclass(self, cls: type) -> _Decoder:
        hints = typing.get_type_hints(cls)
        decoders = {field.name: self.decoder(hints[field.name]) for field in dataclasses.fields(cls)}
        plain_types = {name: _plain_type(hints[name]) for name in decoders}
        make = new_column if cls is Column else cls
        label = cls.__name__.lower()

        def decode(plain: Any) -> Any:
            if type(plain) is not dict:
                raise _Misfit(f"{_short(plain)} is not a {label}")
            key = ""
            try:
                for key, value in plain.items():
                    if type(value) is not plain_types[key]:
                        plain[key] = decoders[key](value)
                return make(**plain)
            except KeyError:
                raise _Misfit(f"a {label} has no field {_short(key)} in this version of driftguard") from None
            except TypeError:
                missing = [f.name for f in dataclasses.fields(cls) if f.name not in plain and _is_required(f)]
                raise _Misfit(f"a {label} lacks {', '.join(missing)}") from None
            except _Misfit as error:
                name = plain.get("name")
                place = f"{key} of {name}" if isinstance(name, str) and key != "name" else key
                raise _Misfit(f"{place}: {error}") from None

        return decode


def _plain_type(hint: Any) -> type | None:
    """The one JSON type that needs no decoding for a field; None where there is none."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return _plain_type(next(a for a in typing.get_args(hint) if a is not type(None)))
    return hint if hint in (str, int, bool) else None


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _scalar(wanted: type) -> _Decoder:
    def decode(plain: Any) -> Any:
        if type(plain) is not wanted:
            raise _Misfit(f"{_short(plain)} is not {'a text' if wanted is str else f'of type {wanted.__name__}'}")
        return plain

    return decode


def _optional(inner: _Decoder) -> _Decoder:
    return lambda plain: None if plain is None else inner(plain)


def _many(inner: _Decoder) -> _Decoder:
    def decode(plain: Any) -> Any:
        if type(plain) is not list:
            raise _Misfit(f"{_short(plain)} is not a list")
        return tuple([inner(item) for item in plain])

    return decode


def _fixed(inner: list[_Decoder]) -> _Decoder:
    def decode(plain: Any) -> Any:
        if type(plain) is not list or len(plain) != len(inner):
            raise _Misfit(f"{_short(plain)} is not a list of {len(inner)}")
        return tuple(decode_one(item) for decode_one, item in zip(inner, plain, strict=True))

    return decode


def _lookup(known: dict[str, Any]) -> _Decoder:
    def decode(plain: Any) -> Any:
        try:
            return known[plain]
        except (KeyError, TypeError):
            raise _Misfit(f"the type {_short(plain)} is not under types") from None

    return decode


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."
