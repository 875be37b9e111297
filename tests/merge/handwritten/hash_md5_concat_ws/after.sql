MERGE INTO FINAL.PRODUCTS t
USING (
    SELECT op, sku, title, brand, price, ean
    FROM STAGING.PRODUCTS_CDC
    QUALIFY ROW_NUMBER() OVER (PARTITION BY sku ORDER BY commit_ts DESC) = 1
) s
ON t.sku = s.sku
WHEN MATCHED AND s.op = 'D' THEN DELETE
WHEN MATCHED
    AND MD5(CONCAT_WS('|', COALESCE(t.title, ''), COALESCE(t.brand, ''), COALESCE(t.price::VARCHAR, ''), COALESCE(t.ean, '')))
     <> MD5(CONCAT_WS('|', COALESCE(s.title, ''), COALESCE(s.brand, ''), COALESCE(s.price::VARCHAR, ''), COALESCE(s.ean, '')))
THEN UPDATE SET
    t.title = s.title,
    t.brand = s.brand,
    t.price = s.price,
    t.ean = s.ean,
    t.updated_at = SYSDATE()
WHEN NOT MATCHED AND s.op <> 'D' THEN
    INSERT (sku, title, brand, price, ean, updated_at)
    VALUES (s.sku, s.title, s.brand, s.price, s.ean, SYSDATE());
