"""What a generated merge has to know of rows that somebody else's merge has merged before it.

Those rows stay as they are in FINAL. Files that STAGING has by name count as taken, and FINAL learns from when its rows
are: a file that is loaded once more, or comes late, changes nothing that is newer, and the change itself, read once
more, gives what the old merge has left out.
"""

from __future__ import annotations

from driftguard.merge import guards
from driftguard.merge.files import COLUMNS, merged_files
from driftguard.merge.generate import milestone_sql, same_row
from driftguard.merge.record import relation
from driftguard.merge.source import Frame, commit_time, source
from driftguard.model.landing import DG_COMMIT_TS, DG_FILE, DG_LOADED_AT, DG_OP, DG_SEQ
from driftguard.model.merge import MergeSpec, epochs
from driftguard.sql.snowflake import literal, names, qualified, quote

TAKEN_OVER = "taken over"  # in the place of the run that took a file


def files_taken(spec: MergeSpec) -> str:
    """An INSERT: no run takes a file that STAGING has by now. It needs STAGING's service columns."""
    file, at = quote(DG_FILE), quote(DG_LOADED_AT)
    frame = Frame("TRUE", "FALSE", _epochs(spec))
    return "\n".join(
        (
            f"INSERT INTO {qualified(merged_files(spec.watermark))} ({names(COLUMNS)})",
            f"SELECT {literal(str(spec.final))}, {literal(TAKEN_OVER)}, COALESCE({file}, ''), {at}, "
            f"MIN({commit_time(spec, frame)}), CURRENT_TIMESTAMP()",
            f"FROM {relation(spec, spec.commit_time)}",
            f"WHERE {at} IS NOT NULL",
            f"GROUP BY COALESCE({file}, ''), {at}",
        )
    )


def order_known(spec: MergeSpec) -> str:
    """A MERGE that notes in FINAL's rows the commit of the newest change that STAGING has of each; no value changes.

    The place within the commit stays before all others, so that the change itself counts as newer. A row whose newest
    change is a delete is left out: the delete itself may not have been merged.
    """
    frame = Frame("TRUE", "FALSE", _epochs(spec))
    own = f"{quote(DG_COMMIT_TS)} = s.{quote(DG_COMMIT_TS)}, {quote(DG_SEQ)} = {literal('')}"
    known, newest = f"t.{quote(DG_COMMIT_TS)}", f"s.{quote(DG_COMMIT_TS)}"
    older = f"({known} IS NULL OR {known} < {newest})"  # it has one where driftguard's merge stood there before theirs
    return "\n".join(
        (
            f"MERGE INTO {qualified(spec.final)} AS t",
            "USING (",
            *(f"  {line}" for line in source(spec, frame)),
            ") AS s",
            f"ON {same_row(spec)}",
            f"WHEN MATCHED AND {guards.not_deleted(f's.{quote(DG_OP)}')} AND {older} THEN UPDATE SET {own}",
        )
    )


def _epochs(spec: MergeSpec) -> dict[str, str]:
    return {name: milestone_sql(spec.watermark, name) for name in epochs(spec.columns)}
