"""A hand-written merge of shop.orders as the tests of the drift rules need it: right, or with one thing wrong."""

from __future__ import annotations


def hand(*changes: tuple[str, str]) -> str:
    """The right merge, with each `old` in it replaced by `new`."""
    text = MERGE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


MERGE = """MERGE INTO FINAL.ORDERS t
USING (
    SELECT OP, ID, NOTE, TOTAL
    FROM STAGING.ORDERS_CDC
    QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(COMMIT_TS) DESC, SEQ DESC) = 1
) s
ON t.ID = s.ID
WHEN MATCHED AND s.OP = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
    t.NOTE = s.NOTE,
    t.TOTAL = s.TOTAL
WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT (ID, NOTE, TOTAL)
VALUES (s.ID, s.NOTE, s.TOTAL);
"""
WITHOUT_TOTAL = (
    (", TOTAL\n", "\n"),
    (",\n    t.TOTAL = s.TOTAL", ""),
    ("NOTE, TOTAL)", "NOTE)"),
    ("s.NOTE, s.TOTAL)", "s.NOTE)"),
)
