"""The lists in the config() of a dbt model or snapshot: merge_update_columns and check_cols.

Source: "Incremental models" and "Snapshot configurations", docs.getdbt.com.
"""

from __future__ import annotations

import re

from driftguard.merge.byhand.flow import Added
from driftguard.merge.byhand.layout import Insertion
from driftguard.merge.byhand.nodes import Sheet
from driftguard.merge.byhand.tokens import Kind, Unreadable

_LISTS = re.compile(r"\b(?:merge_update_columns|check_cols)\s*=\s*\[(?P<body>[^\]]*)\]")
_ALIAS = re.compile(r"""\balias\s*=\s*['"]([^'"]+)['"]""")
_NAMES = re.compile(r"""(['"])([^'"]*)\1""")


def other_table(sheet: Sheet, final: str) -> str:
    """The alias of a model that is not FINAL's; empty if there is none."""
    for token in sheet.tokens:
        named = _ALIAS.search(token.text) if token.kind is Kind.HOLE else None
        if named and named[1].upper() != final.upper():
            return named[1]
    return ""


def config(sheet: Sheet, added: Added) -> list[Insertion]:
    """What the lists of column names need. Raises `Unreadable` for a list that is not made of literals."""
    found: list[Insertion] = []
    for token in sheet.tokens:
        if token.kind is not Kind.HOLE:
            continue
        for listed in _LISTS.finditer(token.text):
            found += _grown(token.text, token.start, listed, sheet, added)
    return found


def _grown(text: str, offset: int, listed: re.Match[str], sheet: Sheet, added: Added) -> list[Insertion]:
    body = listed["body"]
    names = list(_NAMES.finditer(body))
    rest = _NAMES.sub("", body).replace(",", "").strip()
    if rest or not names:
        raise Unreadable(
            "a list of columns in the configuration is not made of literals", sheet.fragment.places[offset]
        )
    if any(name[2].upper() == added.final.upper() for name in names):
        return []
    last = names[-1]
    quote = last[1]
    like = last[2]
    word = added.final.lower() if like.islower() else added.final
    new = f"{quote}{word}{quote}"
    start = offset + listed.start("body")
    line = text.rfind("\n", 0, listed.start("body") + last.start()) + 1
    indent = text[line : listed.start("body") + last.start()]
    if "\n" not in body or indent.strip():
        return [Insertion(start + last.end(), f", {new}")]
    if body[last.end() :].lstrip().startswith(","):
        at = last.end() + body[last.end() :].index(",") + 1
        return [Insertion(start + at, f"\n{indent}{new},")]
    return [Insertion(start + last.end(), f",\n{indent}{new}")]
