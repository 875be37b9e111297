"""Makes the column lists of a hand-written text longer by added columns, and touches nothing else.

Where it is not certain that a longer list is all that is needed, the text is refused with a reason that a person can
work with. Every new text is read again before it is given out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from driftguard.merge.byhand import dbt
from driftguard.merge.byhand.carry import Carrier
from driftguard.merge.byhand.concern import all_of_made, forbidden, mentions, reads_columns
from driftguard.merge.byhand.flow import Added, Flow, Tables
from driftguard.merge.byhand.neighbours import assignable
from driftguard.merge.byhand.nodes import Into, Sheet, Statement
from driftguard.merge.byhand.read import read
from driftguard.merge.byhand.tokens import Unreadable
from driftguard.merge.byhand.views import to_grow, to_make_anew
from driftguard.merge.byhand.writes import Writes


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` was put in before the character at `at` of the text as it was, on that line (from 1)."""

    at: int
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The new text, and what was put in where."""

    text: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing to do: the column comes through by itself, is there already, or is none of the text's business."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A person must decide: why, on which lines (from 1), and what to paste where a list is found."""

    reason: str
    lines: tuple[int, ...]
    paste: str


def rewrite(text: str, language: str, tables: Tables, added: Sequence[Added]) -> Rewritten | Unchanged | Refused:
    """Carries the `added` columns through a text.

    `language`: of the file or of a procedure's body: sql, jinja, javascript, python, scala, yaml or hcl; of a task,
    a view or a pipe it is sql. `tables` has the columns as they were before. Nothing is raised.
    """
    now, pieces = text, [(0, "")]
    reasons = []
    for column in added:
        try:
            found, reason = _one(now, language, tables, column)
            if found:
                new = _applied(now, found)
                _verify(new, language, tables, column)
                now = new
                pieces = _composed(pieces, found)
            else:
                reasons.append(reason)
        except Unreadable as problem:
            line = now.count("\n", 0, problem.at) + 1
            return Refused(problem.reason, (line,), _paste(column))
        except RecursionError:
            return Refused("brackets are nested too deeply to be read", (1,), _paste(column))
        staging = tables.staging_columns | ({} if ":" in column.staging else {column.staging: column.staging_type})
        tables = replace(
            tables, staging_columns=staging, final_columns=tables.final_columns | {column.final: column.final_type}
        )
    if now == text:
        return Unchanged("; ".join(dict.fromkeys(reasons)))
    edits = tuple(Edit(at, text.count("\n", 0, at) + 1, new) for at, new in pieces if new)
    return Rewritten(now, edits)


def _paste(column: Added) -> str:
    source = column.staging if ":" not in column.staging else column.label
    value = f"<source>.{source}"
    return f"for UPDATE SET: {column.final} = {value}; for INSERT: {column.final}; for VALUES or SELECT: {value}"


def _one(text: str, language: str, tables: Tables, added: Added) -> tuple[list[tuple[int, str]], str]:
    """The insertions (offset, text) that one column needs, or none and why. Raises `Unreadable`."""
    sheets = read(text, language)
    problems = [problem for sheet in sheets for problem in sheet.problems]
    if problems:
        raise Unreadable(problems[0].reason, problems[0].at)
    flow = Flow(sheets, tables, added)
    carrier = Carrier(flow, added)
    _statements(sheets, flow, carrier)
    if not carrier.growth:
        return [], _nothing(text, sheets, flow, carrier)
    _through_views(flow, carrier)
    forbidden(text, sheets, added)
    if not assignable(added.staging_type, added.final_type) and not carrier.converted:
        raise Unreadable(
            f"{added.final} is {added.final_type} and comes as {added.staging_type}: no neighbour shows the conversion"
        )
    found = []
    for sheet, insertion in carrier.growth:
        fragment = sheet.fragment
        new = insertion.text
        bad = next((word for word in fragment.forbidden if word and word in new), None)
        if bad is not None:
            raise Unreadable(f"the new entry would need {bad!r} inside of a literal", fragment.places[insertion.at])
        for _ in range(fragment.doubled):
            new = new.replace("'", "''")
        found.append((fragment.places[insertion.at], new))
    return sorted(found, key=lambda pair: pair[0]), ""


def _through_views(flow: Flow, carrier: Carrier) -> None:
    """Raises `Unreadable` unless the views of the database that are read give the column already."""
    for one in flow.views:
        grown = [insertion for sheet, insertion in carrier.growth if sheet is one.sheet]
        if grown:
            raise Unreadable(to_grow(one.view, grown, carrier.added.label))
        source = flow.read_views.get(id(one.statement))
        if source is None or not carrier.bears(source):
            continue
        if not any(flow.lookup(source, name) == frozenset({carrier.added.label}) for name in one.view.columns):
            raise Unreadable(to_make_anew(one.view, carrier.added.label))


def _statements(sheets: list[Sheet], flow: Flow, carrier: Carrier) -> None:
    """Carries the column through every statement that the tables concern."""
    writes = Writes(carrier)
    updating, inserting = 0, 0
    final = flow.tables.final
    for sheet in sheets:
        for statement in sheet.statements:
            into = [i for i in statement.intos if flow.matches(sheet, i.parts, final)]
            if statement.kind == "merge" and flow.matches(sheet, statement.parts, final):
                carries = writes.merge(sheet, statement)
                updating += carries and any(b.kind in ("update", "by name") for b in statement.branches)
                inserting += carries and any(b.kind in ("insert", "by name") for b in statement.branches)
            elif statement.kind == "insert" and into:
                inserting += len(into)
                writes.insert(sheet, statement, into[0])
            elif statement.kind == "update" and flow.matches(sheet, statement.parts, final):
                updating += writes.update(sheet, statement)
            elif statement.kind == "copy" and flow.is_staging(sheet, statement.parts):
                writes.copy(sheet, statement)
            elif statement.kind == "view":
                if not writes.made(sheet, statement) and flow.matches(sheet, statement.parts, final):
                    raise _at(
                        sheet,
                        statement,
                        "FINAL is a view over other tables here; which of them is to hold the column is not said",
                    )
            elif statement.kind == "table" and statement.query and flow.matches(sheet, statement.parts, final):
                raise _at(sheet, statement, "FINAL is made anew by each run; the place of a new column would change")
            elif statement.kind == "select" and sheet.fragment.model:
                other = dbt.other_table(sheet, final[-1])
                if other:
                    raise _at(sheet, statement, f"the model makes {other}, not {final[-1]}")
                if writes.model(sheet, statement) is not None:
                    carrier.grow(sheet, dbt.config(sheet, carrier.added))
            if updating > 1 or inserting > 1:
                raise _at(
                    sheet, statement, "a second statement writes rows into FINAL; which of them is meant is not clear"
                )
    _agree(writes, sheets)
    for sheet in sheets:
        for statement in sheet.statements:
            if statement.kind in ("insert", "table") and not any(
                flow.matches(sheet, i.parts, final) for i in statement.intos
            ):
                taken = all_of_made(flow, sheet, statement, carrier.went_through)
                if taken:
                    raise _at(sheet, statement, f"another statement takes all columns of {taken}, one more then")


def _agree(writes: Writes, sheets: list[Sheet]) -> None:
    """Raises `Unreadable` where the lists that were there do not carry the same columns."""
    at = sheets[0].fragment.places[0] if sheets else 0
    if len(set(writes.updated)) > 1:
        raise Unreadable("the UPDATE lists do not set the same columns; which of them are to grow is not clear", at)
    if len(set(writes.inserted)) > 1:
        raise Unreadable("the INSERT lists do not name the same columns; which of them are to grow is not clear", at)
    if writes.updated and writes.inserted and not writes.updated[0] <= writes.inserted[0]:
        missing = ", ".join(sorted(writes.updated[0] - writes.inserted[0]))
        raise Unreadable(f"{missing} is updated, but never inserted: the lists disagree", at)


def _at(sheet: Sheet, statement: Statement, why: str) -> Unreadable:
    return Unreadable(why, sheet.fragment.places[sheet.tokens[statement.span[0]].start])


def _nothing(text: str, sheets: list[Sheet], flow: Flow, carrier: Carrier) -> str:
    """Why nothing grows. Raises `Unreadable` where that is not known to be right."""
    if carrier.there:
        return "the column is in the lists already, or comes through by itself (a star, columns matched by name)"
    called = False
    statements = [(sheet, statement) for sheet in sheets for statement in sheet.statements]
    for sheet, statement in statements:
        called = called or statement.kind == "call"
        if statement.kind in ("insert", "merge", "table") and reads_columns(flow, sheet, statement):
            where = ".".join(str(p) for p in statement.parts)
            raise _at(sheet, statement, f"columns of STAGING go to {where} here, and from there nobody can see further")
        for into in [Into(statement.parts, None, []), *statement.intos]:
            if statement.kind in ("merge", "insert", "update") and flow.matches(sheet, into.parts, flow.tables.final):
                raise _at(sheet, statement, "no list of this statement carries columns from STAGING")
    if called:
        raise Unreadable("the text only calls a procedure; the merge is in there")
    if not statements and mentions(text, flow.tables):
        raise Unreadable("no SQL statement is found in the text, but it names the tables")
    return "nothing in the text carries columns from STAGING to FINAL"


def _applied(text: str, found: list[tuple[int, str]]) -> str:
    out, at = [], 0
    for offset, new in found:
        out += [text[at:offset], new]
        at = offset
    return "".join([*out, text[at:]])


def _verify(new: str, language: str, tables: Tables, added: Added) -> None:
    """Raises `Unreadable` unless the new text, read again, has the column in every list."""
    try:
        again, _ = _one(new, language, tables, added)
    except Unreadable as problem:
        raise Unreadable(f"the new text could not be read again ({problem.reason})") from problem
    if again:
        raise Unreadable("the new text, read again, still lacks the column in a list")


def _composed(pieces: list[tuple[int, str]], found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The insertions into the first text, after `found` went into the text with `pieces` in it."""
    result = list(pieces)
    for offset, new in reversed(found):
        shift = 0
        for n, (at, text) in enumerate(result):
            if offset <= at + shift:
                result.insert(n, (offset - shift, new))
                break
            if offset <= at + shift + len(text):
                cut = offset - at - shift
                result[n] = (at, text[:cut] + new + text[cut:])
                break
            shift += len(text)
        else:
            result.append((offset - shift, new))
    return result
