MERGE INTO analytics.payment AS p
USING (
    WITH raw_rows AS (
        SELECT op, dms_ts, payment_id, order_id, amount, paid_at
        FROM raw_pg.public_payment
        WHERE payment_id IS NOT NULL
    ),
    typed AS (
        SELECT
            op,
            TRY_TO_TIMESTAMP_NTZ(dms_ts) AS dms_ts,
            payment_id,
            order_id,
            TRY_TO_DECIMAL(amount, 12, 2) AS amount,
            TRY_TO_TIMESTAMP_NTZ(paid_at) AS paid_at
        FROM raw_rows
    ),
    numbered AS (
        SELECT
            t.*,
            ROW_NUMBER() OVER (PARTITION BY payment_id ORDER BY dms_ts DESC) AS n
        FROM typed t
    ),
    latest AS (
        SELECT op, payment_id, order_id, amount, paid_at
        FROM numbered
        WHERE n = 1
    )
    SELECT * FROM latest
) AS l
ON p.payment_id = l.payment_id
WHEN MATCHED AND l.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
    order_id = l.order_id,
    amount   = l.amount,
    paid_at  = l.paid_at
WHEN NOT MATCHED AND l.op <> 'D' THEN
    INSERT (payment_id, order_id, amount, paid_at)
    VALUES (l.payment_id, l.order_id, l.amount, l.paid_at);
