merge into FINAL.TRIPS t
using (select * from STAGING.TRIPS_CDC qualify row_number() over (partition by TRIP_ID order by COMMIT_TS desc) = 1) s
on t.TRIP_ID = s.TRIP_ID
when matched and s.OP = 'D' then delete
when matched then update set t.START_AT = s.START_AT, t.END_AT = s.END_AT
when not matched and s.OP <> 'D' then insert (TRIP_ID, START_AT, END_AT)
values (s.TRIP_ID, s.END_AT, s.START_AT);
