-- PII_* must never reach FINAL (data protection, 2023-04). Do not add them to these lists.
merge into FINAL.GUESTS t
using (
    select OP, GUEST_ID, COUNTRY
    from STAGING.GUESTS_CDC
    qualify row_number() over (partition by GUEST_ID order by COMMIT_TS desc) = 1
) s
on t.GUEST_ID = s.GUEST_ID
when matched and s.OP = 'D' then delete
when matched then update set t.COUNTRY = s.COUNTRY
when not matched and s.OP <> 'D' then insert (GUEST_ID, COUNTRY) values (s.GUEST_ID, s.COUNTRY);
