CREATE OR REPLACE PIPE STAGING.ORDERS_PIPE
  AUTO_INGEST = TRUE
  COMMENT = 'dms/public/orders/'
AS
COPY INTO STAGING.ORDERS_CDC (OP, COMMIT_TS, ORDER_ID, STATUS, TOTAL, CHANNEL, SRC_FILE, SRC_ROW)
FROM (
  SELECT
    $1:op::varchar,
    $1:commit_ts::varchar,
    $1:order_id::number(38,0),
    $1:status::varchar,
    $1:total::number(12,2),
    $1:channel::varchar,
    METADATA$FILENAME,
    METADATA$FILE_ROW_NUMBER
  FROM @STAGING.DMS_STAGE/dms/public/orders/
)
FILE_FORMAT = (TYPE = PARQUET);
