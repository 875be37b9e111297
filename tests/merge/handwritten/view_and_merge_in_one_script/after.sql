create or replace view STAGING.QUOTE_LAST as
select OP
     , QUOTE_ID
     , CUSTOMER_ID
     , VALID_UNTIL
     , MARGIN_PCT
  from STAGING.QUOTE_CDC
qualify row_number() over (partition by QUOTE_ID order by COMMIT_TS desc) = 1
;

merge into FINAL.QUOTE q
using STAGING.QUOTE_LAST v
   on v.QUOTE_ID = q.QUOTE_ID
 when matched and v.OP = 'D' then delete
 when matched then update
  set CUSTOMER_ID = v.CUSTOMER_ID
    , VALID_UNTIL = v.VALID_UNTIL
    , MARGIN_PCT = v.MARGIN_PCT
 when not matched and v.OP <> 'D' then insert
    ( QUOTE_ID
    , CUSTOMER_ID
    , VALID_UNTIL
    , MARGIN_PCT
    )
 values
    ( v.QUOTE_ID
    , v.CUSTOMER_ID
    , v.VALID_UNTIL
    , v.MARGIN_PCT
    )
;
