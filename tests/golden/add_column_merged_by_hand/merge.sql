-- the warehouse team's; leading commas, please
merge into DB.FINAL.ORDERS as t
using (
    select OP
         , ID
         , NOTE
         , TOTAL
    from DB.STAGING.ORDERS_CDC
    qualify row_number() over (partition by ID order by try_to_timestamp_ntz(COMMIT_TS) desc, SEQ desc) = 1
) as s
on t.ID = s.ID
when matched and s.OP = 'D' then delete
when matched then update
   set t.NOTE  = s.NOTE
     , t.TOTAL = s.TOTAL  -- net
when not matched and coalesce(s.OP, 'I') <> 'D' then
    insert (ID, NOTE, TOTAL) values (s.ID, s.NOTE, s.TOTAL)
