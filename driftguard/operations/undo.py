"""A clone of a table before something is done to it that the pipeline cannot bring back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.sql.snowflake import qualified, quote


@dataclass(frozen=True)
class Undo:
    """The statement to run first, and for a person: how to get back what it keeps."""

    table: ObjectName
    clone: ObjectName
    keep: Statement
    restore: str


def undo(table: ObjectName, control: ObjectName, work: str, *, replaceable: bool = True) -> Undo:
    """A clone of `table` in the schema of `control` (any object of the control schema).

    `work` tells apart what is done to one table: the operation's kind and arguments. The name depends on the two alone,
    so that an attempt that is run again finds its own clone. OR REPLACE, because what an old one of that name holds is
    the table as it was before some earlier apply: the runner sends the clone again only until it is noted as done, and
    nothing after it before that. TRANSIENT, because a transient table cannot be cloned into a permanent one, and both
    kinds can be cloned into a transient one. The clone gets no grants, and keeps the table's policies and tags.
    Sources: docs.snowflake.com "CREATE <object> … CLONE", "Working with Temporary and Transient Tables" (comparison of
    table types), "Cloning considerations".

    `replaceable`: all rows can be put back as they were. Not so in STAGING, into which a pipe goes on loading, and
    where columns are gone.
    """
    seed = hashlib.sha256(f"{table}\n{work}".encode()).hexdigest()[:8].upper()
    clone = ObjectName(control.database, control.schema, f"UNDO_{table.schema}_{table.name}"[:240] + f"_{seed}")
    sql = f"CREATE OR REPLACE TRANSIENT TABLE {qualified(clone)} CLONE {qualified(table)}"
    if replaceable:
        restore = (
            f"suspend the merge, INSERT OVERWRITE INTO {qualified(table)} SELECT * FROM {qualified(clone)} as a role "
            "that no policy binds, delete the landing's WATERMARK rows since then so that what came later is merged "
            "again, and plan again"
        )
    else:
        restore = (
            f"what is missing in {table} is in {qualified(clone)}: add columns that are gone again, and insert or fill "
            "from there, as a role that no policy binds"
        )
    return Undo(table, clone, Statement(sql, f"keep {table} as {clone.schema}.{quote(clone.name)}"), restore)
