create or replace task STAGING.PURGE_ORDERS
  warehouse = TINY
  schedule = 'using cron 0 3 * * * UTC'
as
  delete from STAGING.ORDERS_CDC
  where COMMIT_TS < dateadd('day', -14, current_timestamp()) and ORDER_ID in (select ORDER_ID from FINAL.ORDERS);
