MERGE INTO FINAL.SALES f USING (
    SELECT
        op,
        sale_id,
        qty,
        unit_price,
        sold_at,
        cashier,
        ROUND(qty * unit_price * 1.19, 2) AS gross,
        DATE_TRUNC('MONTH', LEAST(sold_at, SYSDATE()))::DATE AS sold_month
    FROM STAGING.SALES_CDC
    QUALIFY ROW_NUMBER() OVER (PARTITION BY sale_id ORDER BY commit_ts DESC) = 1
) s ON f.sale_id = s.sale_id
WHEN MATCHED AND s.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
    f.qty = s.qty,
    f.unit_price = s.unit_price,
    f.sold_at = s.sold_at,
    f.cashier = s.cashier,
    f.gross = s.gross,
    f.sold_month = s.sold_month
WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT
    (sale_id, qty, unit_price, sold_at, cashier, gross, sold_month)
VALUES
    (s.sale_id, s.qty, s.unit_price, s.sold_at, s.cashier, s.gross, s.sold_month);
