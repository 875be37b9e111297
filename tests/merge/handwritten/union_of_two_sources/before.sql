merge into FINAL.SLOTS t
using (
    select OP, SLOT_ID, LABEL, COMMIT_TS from STAGING_A.SLOTS_CDC
    union all
    select OP, SLOT_ID, LABEL, COMMIT_TS from STAGING_B.SLOTS_CDC
    qualify row_number() over (partition by SLOT_ID order by COMMIT_TS desc) = 1
) s
on t.SLOT_ID = s.SLOT_ID
when matched and s.OP = 'D' then delete
when matched then update set t.LABEL = s.LABEL
when not matched and s.OP <> 'D' then insert (SLOT_ID, LABEL) values (s.SLOT_ID, s.LABEL);
