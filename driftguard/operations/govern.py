"""Columns that are made beside governed ones: what they get with the statement that makes them."""

from __future__ import annotations

import dataclasses

from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import Masking
from driftguard.model.snowflake import Estate
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import Readiness
from driftguard.operations.columns import ColumnDef, look_up


def governed_twin(
    estate: Estate,
    table: ObjectName,
    column: str,
    twin: ColumnDef,
    *,
    masking: Masking | None = None,
    exempt_role: bool = False,
) -> tuple[AddColumns, ...] | str:
    """The operations that make `twin` beside `column` with its masking policy and tags, or why that cannot be done.

    Policy and tags are part of ADD COLUMN, so there is no moment at which the twin has a value and no policy
    (docs.snowflake.com "ALTER TABLE"). `masking` is what [policy.masking] says of the column, and wins. A policy takes
    columns of one type ("Understanding Column-level Security"). A role that a policy binds reads masked values, or not
    all rows, and would fill the twin with them: `exempt_role` is a person's word that it does not. Where nobody could
    look, both together are taken instead.
    """
    found = look_up(estate, table)
    if isinstance(found, Readiness):
        return found.reason
    old = found.column(column)
    if old is None:
        return f"{table} has no column {column}"
    if not estate.sees_governance and not (masking is not None and exempt_role):
        return f"whether a policy or a tag governs {table}.{column} could not be looked at (docs/grants.md)"
    policy = old.masking_policy
    for bound in (policy, found.row_policy):
        if bound is not None and not exempt_role:
            return (
                f"{bound} may bind the role that fills {twin.name}: exempt the role in the policy, then set "
                "[policy] exempt_role = true"
            )
    if masking is not None:
        policy = masking.policy
    elif policy is not None and old.type.base != twin.type.base:
        return (
            f"{policy} is for {old.type.base} and {twin.name} is {twin.type}: name a policy for {column} in "
            "[policy.masking]"
        )
    return (AddColumns(table, (dataclasses.replace(twin, masking_policy=policy, tags=old.tags),)),)
