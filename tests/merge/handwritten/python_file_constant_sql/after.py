from datetime import datetime

DELETE_CHANGED = "DELETE FROM FINAL.REFUNDS WHERE REFUND_ID IN (SELECT REFUND_ID FROM STAGING.REFUNDS_CDC)"

INSERT_LATEST = """
    INSERT INTO FINAL.REFUNDS (REFUND_ID, ORDER_ID, AMOUNT, REASON_CODE, INSERTED_AT)
    SELECT REFUND_ID, ORDER_ID, AMOUNT, REASON_CODE, CURRENT_TIMESTAMP()
    FROM STAGING.REFUNDS_CDC
    WHERE OP <> 'D'
    QUALIFY ROW_NUMBER() OVER (PARTITION BY REFUND_ID ORDER BY COMMIT_TS DESC) = 1
"""


def load(connection, started: datetime) -> None:
    """Both statements or none."""
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    try:
        cursor.execute(DELETE_CHANGED)
        cursor.execute(INSERT_LATEST)
        cursor.execute("COMMIT")
    except Exception:
        cursor.execute("ROLLBACK")
        raise
    print(f"refunds done after {datetime.now() - started}")
