"""The statement that gives a merge task another text: the task's own body, or a row where the merge is data."""

from __future__ import annotations

from driftguard.merge import stored
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Task
from driftguard.sql.snowflake import qualified


def replaced(task: Task | None, name: ObjectName, control: ObjectName, body: str) -> Statement:
    """`control`: any table of the control schema."""
    summary = f"replace the merge of {name}"
    if task is not None and task.text_of is not None:
        return Statement(stored.store(control, task.text_of, body), summary)
    return Statement(f"ALTER TASK {qualified(name)} MODIFY AS\n{body}", summary)
