"""What keeps a merge right whatever the files bring, each part by itself.

A test takes them out of the merge one by one, and random histories must then end wrong: a part that nothing needs, or
that nothing proves, does not stay here. Every function gives SQL; names that come in are quoted already.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftguard.model.landing import DG_COMMIT_TS, DG_SEQ
from driftguard.sql.snowflake import quote


def moment(text: str) -> str:
    """The commit time as a timestamp: DMS writes it as text, and texts of one moment can differ."""
    return f"TRY_TO_TIMESTAMP_NTZ({text})"


def operation(op: str) -> str:
    """I, U or D. A missing Op is an insert: full-load files have none unless IncludeOpForFullLoad is set."""
    return f"COALESCE({op}, 'I')"


def load_before_changes(is_load: str) -> str:
    """At one moment, what was loaded in full comes before what was changed."""
    return f"IFF({is_load}, '0', '1')"


def change(sequence: str) -> str:
    """All rows of a transaction have its commit time; the change sequence tells their order."""
    return f"COALESCE({sequence}, '')"


def place(file: str, row: str) -> str:
    """Without a change sequence: CDC files are named by their time, and rows stand in them in order."""
    return f"{file} || '|' || LPAD(TO_VARCHAR({row}), 12, '0')"


def load_start(own: str, start: str) -> str:
    """A row of a full load is as old as the start of the load: what was committed meanwhile is in CDC as well."""
    return f"COALESCE({start}, {own})"


def not_swept(commit: str, swept: str) -> str:
    """What was committed before a reload that is complete says nothing any more: the reload has all that was left."""
    return f"NOT COALESCE({commit} < {swept}, FALSE)"


def unseen(commit: str, swept: str) -> str:
    """Is FINAL's row older than a complete reload, so that the reload did not have it?"""
    return f"{commit} IS NULL OR {commit} < {swept}"


def back_to(commit: str, floor: str, new: str) -> str:
    """Beside the new rows, all that were committed since the oldest of them.

    A deleted row leaves no trace in FINAL. Its delete is still in STAGING, and here it is in view of every older row
    that comes late; so is every newer row that such a row completes.
    """
    return f"({commit} >= {floor} OR ({new} AND {commit} IS NULL))"


def seen_late(since: str, minutes: int) -> str:
    """From when on files are looked for: a load has the time at which it began, and is seen when it commits."""
    return f"DATEADD('minute', -{minutes}, {since})"


def in_stream(file: str) -> str:
    """Is the file in the stream? It has what was committed since the last run, however long ago the load began."""
    return f"{file} IS NOT NULL"


def first_seen(known: str) -> str:
    """Has no run taken the file yet?"""
    return f"{known} IS NULL"


def newer() -> str:
    """Is the row newer than the one that FINAL shows?"""
    commit, seq = quote(DG_COMMIT_TS), quote(DG_SEQ)
    return f"(t.{commit} IS NULL OR s.{commit} > t.{commit} OR (s.{commit} = t.{commit} AND s.{seq} > t.{seq}))"


def completed(late: Sequence[str]) -> str:
    """Is it the change that FINAL shows, with a value that an older file brought only now?"""
    same = " AND ".join(f"s.{quote(name)} = t.{quote(name)}" for name in (DG_COMMIT_TS, DG_SEQ))
    return f"({same} AND ({' OR '.join(late)}))"


def same_key(left: str, right: str, *, nullable: bool) -> str:
    """Do both have the key? A key out of a unique index can hold NULL."""
    return f"{left} IS NOT DISTINCT FROM {right}" if nullable else f"{left} = {right}"


def moved(pairs: Sequence[tuple[str, str]], *, nullable: bool) -> str:
    """Did an update change the key? `pairs`: each key column before and after. NULL where the files do not say."""
    if not nullable:
        return " OR ".join(f"{old} <> {new}" for old, new in pairs)
    said = " OR ".join(f"{old} IS NOT NULL" for old, _ in pairs)
    return f"({said}) AND ({' OR '.join(f'{old} IS DISTINCT FROM {new}' for old, new in pairs)})"


def another_row(began: Sequence[str]) -> str:
    """The row begins here, by an insert or an update of the key: what older rows of the key say is of another row."""
    return f"COALESCE({' OR '.join(began)}, FALSE)"


def left_out(name: str, op: str) -> str:
    """PostgreSQL leaves a large value that did not change out of the WAL; DMS then writes NULL, as far as is known."""
    return f"{name} IS NULL AND {op} = 'U'"


def comes_after_leaves(left: str, taken: str, seq: str) -> str:
    """A deferrable key is checked at the end: within one commit a row can come before the one that was there leaves.

    A load at that moment is before all of the commit.
    """
    return f"SUBSTR({seq}, 1, 1) DESC, IFF({left} AND {taken} = 1, 1, 0), "


def not_deleted(op: str) -> str:
    """A delete of a row that FINAL does not have inserts nothing."""
    return f"{op} <> 'D'"
