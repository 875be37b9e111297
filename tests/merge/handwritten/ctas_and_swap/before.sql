create or replace table FINAL.PARAMS__BUILD as
select PARAM, VAL, current_timestamp()::timestamp_ntz as BUILT_AT
from STAGING.PARAMS_CDC
where OP <> 'D'
qualify row_number() over (partition by PARAM order by COMMIT_TS desc) = 1;

alter table FINAL.PARAMS swap with FINAL.PARAMS__BUILD;
drop table FINAL.PARAMS__BUILD;
