"""DG605: values did not fit, and are in quarantine."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.merge.failures import quarantine
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import CAST_FAILURES
from driftguard.sql.snowflake import qualified

CODE = "DG605"
TITLE = "values did not fit, and are in quarantine"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """Silent about other pipelines' landings, and where no merge writes to quarantine yet."""
    policy = context.policy
    table = quarantine(ObjectName(policy.database, policy.control_schema, ""))
    expected = any(pair.task is not None and qualified(table) in pair.task.definition for pair in context.pairs)
    for unseen in context.estate.unseen if expected else ():
        if unseen.what.startswith(CAST_FAILURES):
            yield Finding(
                CODE,
                Severity.UNKNOWN,
                f"{table} could not be read: {unseen.reason}",
                "whether merges had values that did not fit is not known",
                "grant SELECT on the tables of the control schema (docs/grants.md)",
                place=Place("snowflake", str(table)),
            )
    pairs = {str(pair.landing.final): pair for pair in context.pairs}
    for failure in context.estate.cast_failures:
        pair = pairs.get(failure.name)
        if pair is None:
            continue
        sources = {c.name: c.source for c in pair.landing.final_columns}
        values = "1 value" if failure.count == 1 else f"{failure.count} values"
        yield Finding(
            CODE,
            SEVERITY,
            f"{failure.name}.{failure.column}: {values} of the last {policy.cast_failure_days} days did not fit",
            "the cast from STAGING failed or would have rounded; FINAL kept its old value, or has NULL in a new row, "
            "or lacks the row where it is the key",
            f"read the raw texts in {table}; mend the type (typemaps/overrides.toml) or the value on Aurora, then let "
            "DMS send the rows again",
            table=source_table(pair.landing),
            column=sources.get(failure.column) or failure.column,
            place=on_snowflake(pair.landing.final),
        )
