"""A twin of a governed column is made with what governs the column, or not at all."""

from __future__ import annotations

import dataclasses

import pytest

from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import Masking
from driftguard.model.snowflake import POLICIES, TAGS, Estate, SfColumn, SfTable, SfType, Tag
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.columns import ColumnDef
from driftguard.operations.govern import governed_twin

TABLE = ObjectName("DB", "FINAL", "T")
MASK, OTHER, ROWS = (ObjectName("DB", "G", name) for name in ("MASK", "OTHER", "ROWS"))
PII = Tag(ObjectName("DB", "G", "PII"), "it's high")
SCALE_2, SCALE_4 = (SfType("NUMBER", precision=38, scale=scale) for scale in (2, 4))
TWIN = ColumnDef("C__NEW", SCALE_4)


def estate(row_policy: ObjectName | None = None, **column: object) -> Estate:
    table = SfTable(TABLE, (SfColumn("C", SCALE_2, **column),), row_policy=row_policy)  # type: ignore[arg-type]
    return Estate(tables=(table,), looked=(POLICIES, TAGS))


def test_policy_and_tags_come_with_the_column() -> None:
    twin = governed_twin(estate(masking_policy=MASK, tags=(PII,)), TABLE, "C", TWIN, exempt_role=True)
    assert not isinstance(twin, str)
    (add,) = twin
    (statement,) = add.statements(estate())
    assert statement.sql == (
        'ALTER TABLE "DB"."FINAL"."T" ADD IF NOT EXISTS "C__NEW" NUMBER(38,4) '
        'WITH MASKING POLICY "DB"."G"."MASK" WITH TAG ("DB"."G"."PII" = \'it\'\'s high\')'
    )
    made = add.effect(estate()).tables[0].column("C__NEW")
    assert made is not None
    assert (made.masking_policy, made.tags) == (MASK, (PII,))


def test_a_column_without_policies_has_a_plain_twin() -> None:
    assert governed_twin(estate(), TABLE, "C", TWIN) == (AddColumns(TABLE, (TWIN,)),)


@pytest.mark.parametrize(
    ("found", "options", "why"),
    [
        (dataclasses.replace(estate(), looked=()), {}, "could not be looked at"),
        (dataclasses.replace(estate(), looked=(POLICIES,)), {}, "could not be looked at"),
        (estate(masking_policy=MASK), {}, "DB.G.MASK may bind the role"),
        (estate(ROWS), {}, "DB.G.ROWS may bind the role"),
        (Estate(looked=(POLICIES, TAGS)), {}, "does not exist"),
    ],
)
def test_it_is_refused_where_values_could_be_lost_or_shown(found: Estate, options: dict[str, bool], why: str) -> None:
    refusal = governed_twin(found, TABLE, "C", TWIN, **options)
    assert isinstance(refusal, str)
    assert why in refusal


def test_a_policy_of_another_type_needs_a_decision() -> None:
    """A masking policy takes columns of one type."""
    text = ColumnDef("C__NEW", SfType("VARCHAR", length=10))
    refusal = governed_twin(estate(masking_policy=MASK), TABLE, "C", text, exempt_role=True)
    assert isinstance(refusal, str)
    assert "[policy.masking]" in refusal
    chosen = governed_twin(estate(masking_policy=MASK), TABLE, "C", text, exempt_role=True, masking=Masking("c", OTHER))
    assert not isinstance(chosen, str)
    assert chosen[0].columns[0].masking_policy == OTHER


def test_several_columns_share_a_statement_and_a_governed_one_has_its_own() -> None:
    columns = (ColumnDef("A", SCALE_2), ColumnDef("B", SCALE_2, masking_policy=MASK), ColumnDef("D", SCALE_2))
    statements = AddColumns(TABLE, columns).statements(estate())
    assert [s.summary for s in statements] == ["add A, D to DB.FINAL.T", "add B to DB.FINAL.T"]
