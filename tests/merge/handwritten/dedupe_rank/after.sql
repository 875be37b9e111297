MERGE INTO FINAL.STOCK t
USING (
    WITH ranked AS (
        SELECT op,
               warehouse_id,
               sku,
               qty,
               reserved,
               bin_location,
               RANK() OVER (PARTITION BY warehouse_id, sku ORDER BY commit_ts DESC, seq DESC) AS rnk
        FROM   STAGING.STOCK_CDC
    )
    SELECT op, warehouse_id, sku, qty, reserved, bin_location
    FROM   ranked
    WHERE  rnk = 1
) s
ON  t.warehouse_id = s.warehouse_id
AND t.sku          = s.sku
WHEN MATCHED AND s.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
    t.qty      = s.qty,
    t.reserved = s.reserved,
    t.bin_location = s.bin_location
WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT (warehouse_id, sku, qty, reserved, bin_location)
VALUES (s.warehouse_id, s.sku, s.qty, s.reserved, s.bin_location);
