"""Views of the database that a text reads: their definitions are followed like those of the text, and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from driftguard.merge.byhand.layout import Insertion
from driftguard.merge.byhand.nodes import Sheet, Statement
from driftguard.merge.byhand.read import read
from driftguard.merge.byhand.tokens import Unreadable


@dataclass(frozen=True, slots=True)
class ViewText:
    """A view by the parts of its name: the statement that made it, and the columns that the database lists for it.

    A view with a star keeps the columns that it had when it was made, so the list is what counts (DG804).
    """

    name: tuple[str, ...]
    text: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.name)


@dataclass(slots=True)
class ViewSheet:
    """A view's definition, read."""

    view: ViewText
    sheet: Sheet
    statement: Statement


def opened(views: Iterable[ViewText]) -> Iterator[ViewSheet]:
    """The views whose definition is one statement that can be read."""
    for view in views:
        try:
            sheets = read(view.text, "sql")
        except (Unreadable, RecursionError):
            continue
        found = [(sheet, s) for sheet in sheets for s in sheet.statements if s.kind in ("view", "select") and s.query]
        if len(found) != 1 or any(sheet.problems for sheet in sheets):
            continue
        [(sheet, statement)] = found
        sheet.fragment = replace(sheet.fragment, places=(0,) * len(sheet.fragment.places))  # no place of the text
        sheet.used = {"SCHEMA": view.name[-2]} if len(view.name) > 1 else {}
        yield ViewSheet(view, sheet, replace(statement, kind="view", parts=view.name))


def to_grow(view: ViewText, insertions: Iterable[Insertion], column: str) -> str:
    """What a person has to do to the view before a text that reads it can carry the column."""
    edits = "; ".join(
        f"in line {view.text.count(chr(10), 0, i.at) + 1}: {i.text.strip()}"
        for i in sorted(insertions, key=lambda i: i.at)
    )
    return (
        f"it reads the view {view}, which does not give {column}; first CREATE OR REPLACE VIEW … COPY GRANTS with its "
        f"definition longer, insert {edits}"
    )


def to_make_anew(view: ViewText, column: str) -> str:
    """The same of a view whose definition takes whatever is there."""
    return (
        f"it reads the view {view}, which does not list {column}: it keeps the columns that it had when it was made; "
        "first make it anew (CREATE OR REPLACE VIEW … COPY GRANTS) with the same definition"
    )
