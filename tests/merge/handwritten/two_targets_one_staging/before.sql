begin;
merge into FINAL.CITIZENS_OPEN o
using STAGING.CITIZENS_NEWEST n on o.CITIZEN_ID = n.CITIZEN_ID
when matched and n.OP = 'D' then delete
when matched then update set o.DISTRICT = n.DISTRICT
when not matched and n.OP <> 'D' then insert (CITIZEN_ID, DISTRICT) values (n.CITIZEN_ID, n.DISTRICT);

merge into FINAL.CITIZENS_RESTRICTED r
using STAGING.CITIZENS_NEWEST n on r.CITIZEN_ID = n.CITIZEN_ID
when matched and n.OP = 'D' then delete
when matched then update set r.TAX_NO = n.TAX_NO
when not matched and n.OP <> 'D' then insert (CITIZEN_ID, TAX_NO) values (n.CITIZEN_ID, n.TAX_NO);

create or replace view FINAL.CITIZENS as
select o.CITIZEN_ID, o.DISTRICT, r.TAX_NO
from FINAL.CITIZENS_OPEN o join FINAL.CITIZENS_RESTRICTED r using (CITIZEN_ID);
commit;
