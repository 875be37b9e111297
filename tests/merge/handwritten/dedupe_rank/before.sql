MERGE INTO FINAL.STOCK t
USING (
    WITH ranked AS (
        SELECT op,
               warehouse_id,
               sku,
               qty,
               reserved,
               RANK() OVER (PARTITION BY warehouse_id, sku ORDER BY commit_ts DESC, seq DESC) AS rnk
        FROM   STAGING.STOCK_CDC
    )
    SELECT op, warehouse_id, sku, qty, reserved
    FROM   ranked
    WHERE  rnk = 1
) s
ON  t.warehouse_id = s.warehouse_id
AND t.sku          = s.sku
WHEN MATCHED AND s.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
    t.qty      = s.qty,
    t.reserved = s.reserved
WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT (warehouse_id, sku, qty, reserved)
VALUES (s.warehouse_id, s.sku, s.qty, s.reserved);
