"""The new column's own expression in a list: in the form of a neighbour that comes the same way.

A cast is written only where the two types differ and the neighbours are cast there. What holds a list together, such
as MAX_BY(x, t) around every column of a GROUP BY or COALESCE(new, old) around every SET, the new column gets as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from driftguard.merge.byhand.flow import Added, Ref, refs
from driftguard.merge.byhand.nodes import Sheet, Span
from driftguard.merge.byhand.tokens import Kind, Token, Unreadable, spelled

_AGGREGATES = [
    "MAX_BY",
    "MIN_BY",
    "MAX",
    "MIN",
    "ANY_VALUE",
    "FIRST_VALUE",
    "LAST_VALUE",
    "NTH_VALUE",
    "ARRAY_AGG",
    "LAG",
    "LEAD",
    "LISTAGG",
    "MODE",
]
_CASTS = re.compile(r"CAST|TRY_CAST|(TRY_)?TO_\w+|(TRY_)?PARSE_JSON|STRTOK_TO_ARRAY")
_WIDER = {("NUMBER", "FLOAT"), ("DATE", "TIMESTAMP_NTZ"), ("VARIANT", "VARIANT")}
_SEMI = ("VARIANT", "OBJECT", "ARRAY")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A data column of the list: its value, the references in it that are the column itself, and its types.

    `old`: the value also names the column of the target, to keep it where the new one is NULL.
    """

    value: Span
    own: tuple[Ref, ...]
    staging_type: str
    final_type: str
    old: bool = False


def kind(sheet: Sheet, neighbour: Neighbour) -> str:
    """plain, path, aggregate, keep, cast or other: how the neighbour takes its column."""
    start, end = neighbour.value
    tokens = sheet.tokens[start:end]
    if neighbour.old:
        return "keep"
    if any(ref.key is not None for ref in neighbour.own):
        return "path"
    if len(neighbour.own) == 1 and neighbour.own[0].span == neighbour.value:
        return "plain"
    if tokens[0].word(*_AGGREGATES) and len(tokens) > 1 and tokens[1].op("("):
        return "aggregate"
    if has_cast(tokens):
        return "cast"
    return "other"


def has_cast(tokens: list[Token]) -> bool:
    """Does an expression change a type?"""
    return any(t.op("::") or (t.kind is Kind.WORD and bool(_CASTS.fullmatch(t.value))) for t in tokens)


def converts(text: str) -> bool:
    """Does a new expression change the type?"""
    return "::" in text or bool(re.search(rf"\b({_CASTS.pattern})\s*\(", text, re.IGNORECASE))


def same_type(a: str, b: str) -> bool:
    """Are two types as written the same?"""
    return _plain_type(a) == _plain_type(b)


_SYNONYMS = {"TEXT": "VARCHAR", "STRING": "VARCHAR", "INT": "NUMBER", "INTEGER": "NUMBER", "DATETIME": "TIMESTAMP_NTZ"}


def _plain_type(text: str) -> str:
    word = re.sub(r"\s+", "", text.upper())
    base = word.split("(")[0]
    if base in ("VARCHAR", "TEXT", "STRING"):
        return "VARCHAR"
    if word in ("NUMBER", "INT", "INTEGER", "NUMBER(38)"):
        return "NUMBER(38,0)"
    if base.startswith("TIMESTAMP_"):
        return base
    return _SYNONYMS.get(word, word)


def expression(
    sheet: Sheet, neighbours: list[Neighbour], name: str, key: str | None, added: Added, *, loads: bool
) -> str:
    """The new column's value in a list where `neighbours` are the data columns, in their order.

    `name` is what the new column is called in the rows that the list reads, `key` its key where neighbours take
    theirs from a path. `loads`: the list reads files (its target is STAGING), so a path is cast to STAGING's type.
    Raises `Unreadable` where no neighbour shows how.
    """
    kinds = [kind(sheet, neighbour) for neighbour in neighbours]
    final = added.staging_type if loads else added.final_type
    structural = [n for n, k in enumerate(kinds) if k in ("keep", "path", "aggregate")]
    if "keep" in kinds and any(k != "keep" for k in kinds):
        raise Unreadable(
            "some columns keep the old value where the new one is NULL and some do not", _at(sheet, neighbours)
        )
    if structural:
        for n in reversed(structural):
            if same_type(neighbours[n].final_type, final) and (
                kinds[n] == "path" or same_type(neighbours[n].staging_type, added.staging_type)
            ):
                return _substituted(sheet, neighbours[n], name, key, added)
        plain = [n for n in structural if not _typed(sheet, neighbours[n])]
        if plain and (kinds[plain[-1]] != "path" or same_type(added.staging_type, added.final_type)):
            return _substituted(sheet, neighbours[plain[-1]], name, key, added)
        recast = [n for n in structural if kinds[n] == "path" and _recastable(sheet, neighbours[n])]
        if recast:
            return _recast(sheet, neighbours[recast[-1]], name, key, added, final)
        raise Unreadable(f"no neighbour of the type {final} shows how {name} is to be written", _at(sheet, neighbours))
    if not same_type(added.staging_type, added.final_type) and not loads:
        cast = [n for n, k in enumerate(kinds) if k == "cast"]
        for n in reversed(cast):
            here = neighbours[n]
            if same_type(here.final_type, final) and same_type(here.staging_type, added.staging_type):
                return _substituted(sheet, here, name, key, added)
        if any(not same_type(n.staging_type, n.final_type) for n in (neighbours[m] for m in cast)):
            raise Unreadable(
                f"the neighbours are cast here, but none from {added.staging_type} to {final}", _at(sheet, neighbours)
            )
    return plain_reference(sheet, neighbours, name, added)


def plain_reference(sheet: Sheet, neighbours: list[Neighbour], name: str, added: Added) -> str:
    """The bare column, with the prefix of the nearest neighbour."""
    own = neighbours[-1].own[0]
    prefix_start, at = sheet.tokens[own.span[0]].start, sheet.tokens[own.name]
    return sheet.fragment.text[prefix_start : at.start] + spelled(name, at, added.source)


def _at(sheet: Sheet, neighbours: list[Neighbour]) -> int:
    return sheet.fragment.places[sheet.tokens[neighbours[-1].value[0]].start]


def _typed(sheet: Sheet, neighbour: Neighbour) -> bool:
    """Does the expression hold a type or a literal, which would have to fit the new column?"""
    start, end = neighbour.value
    keys = {ref.key for ref in neighbour.own}
    literals = any(
        t.kind in (Kind.STRING, Kind.NUMBER) and n not in keys for n, t in enumerate(sheet.tokens[start:end], start)
    )
    return literals or has_cast(sheet.tokens[start:end])


def _substituted(sheet: Sheet, neighbour: Neighbour, name: str, key: str | None, added: Added) -> str:
    return _replaced(sheet, neighbour.value, _changes(sheet, neighbour, name, key, added))


def _changes(sheet: Sheet, neighbour: Neighbour, name: str, key: str | None, added: Added) -> dict[int, str]:
    changes: dict[int, str] = {}
    for ref in neighbour.own:
        if ref.key is not None:
            changes[ref.key] = _key(sheet.tokens[ref.key], key if key is not None else name)
        else:
            changes[ref.name] = spelled(name, sheet.tokens[ref.name], added.source)
    return changes


def _key(like: Token, key: str) -> str:
    """A key of a path; keys keep their case, and need quotes unless they are simple words."""
    if like.kind is Kind.STRING:
        return "'" + key.replace("'", "''") + "'"
    if like.kind is Kind.QUOTED or not re.fullmatch(r"[A-Za-z_]\w*", key):
        return '"' + key.replace('"', '""') + '"'
    return key


def _replaced(sheet: Sheet, span: Span, changes: dict[int, str]) -> str:
    text, tokens = sheet.fragment.text, sheet.tokens
    if any(
        t.kind is Kind.COMMENT and tokens[span[0]].start <= t.start < tokens[span[1] - 1].end
        for t in sheet.fragment.tokens
    ):
        why = "a comment stands inside the neighbour that would be followed"
        raise Unreadable(why, sheet.fragment.places[tokens[span[0]].start])
    out, at = [], tokens[span[0]].start
    for n, new in sorted(changes.items()):
        out += [text[at : tokens[n].start], new]
        at = tokens[n].end
    return "".join([*out, text[at : tokens[span[1] - 1].end]])


def _recastable(sheet: Sheet, neighbour: Neighbour) -> bool:
    """Is the value a path and `::type` behind it, nothing else?"""
    start, end = neighbour.value
    marks = [n for n in range(start, end) if sheet.tokens[n].op("::")]
    closed = sheet.tokens[end - 1].op(")") and sheet.tokens[start].op("(")
    return len(marks) == 1 and not closed and refs(sheet.tokens, (start, marks[0])) == list(neighbour.own)


def _recast(sheet: Sheet, neighbour: Neighbour, name: str, key: str | None, added: Added, type_: str) -> str:
    """The neighbour's path with another type behind it."""
    start, end = neighbour.value
    mark = next(n for n in range(start, end) if sheet.tokens[n].op("::"))
    if any(
        t.kind in (Kind.STRING,) and n not in {r.key for r in neighbour.own}
        for n, t in enumerate(sheet.tokens[start:mark], start)
    ):
        raise Unreadable("a literal in the neighbour would have to fit the new type", _at(sheet, [neighbour]))
    changes = _changes(sheet, neighbour, name, key, added)
    word = type_ if sheet.tokens[mark + 1].text.isupper() else type_.lower()
    return _replaced(sheet, (start, mark + 1), changes) + word


def assignable(staging: str, final: str) -> bool:
    """Does FINAL's column take STAGING's values as they are, without a conversion that could fail or mean another?"""
    a, b = _plain_type(staging).split("(")[0], _plain_type(final).split("(")[0]
    return a == b or (b == "VARCHAR" and a not in _SEMI) or (a, b) in _WIDER
