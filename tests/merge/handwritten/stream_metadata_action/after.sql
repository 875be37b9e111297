CREATE OR REPLACE TASK FINAL.CART_APPLY
  WAREHOUSE = SHOP_WH
  SCHEDULE = '1 MINUTE'
  WHEN SYSTEM$STREAM_HAS_DATA('STAGING.CART_CDC_STREAM')
AS
MERGE INTO FINAL.CART AS tgt
USING (
  SELECT
    cart_id, user_id, items, currency, abandoned_at, op,
    METADATA$ACTION AS stream_action,
    METADATA$ISUPDATE AS stream_isupdate
  FROM STAGING.CART_CDC_STREAM
  WHERE METADATA$ACTION = 'INSERT'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY cart_id ORDER BY commit_ts DESC) = 1
) AS src
ON tgt.cart_id = src.cart_id
WHEN MATCHED AND src.op = 'D' AND src.stream_action = 'INSERT' THEN DELETE
WHEN MATCHED AND NOT src.stream_isupdate THEN UPDATE SET
  user_id = src.user_id, items = src.items, currency = src.currency, abandoned_at = src.abandoned_at
WHEN NOT MATCHED AND src.op <> 'D' THEN INSERT
  (cart_id, user_id, items, currency, abandoned_at)
  VALUES
  (src.cart_id, src.user_id, src.items, src.currency, src.abandoned_at);
