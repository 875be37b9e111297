merge into FINAL.SPOTS t
using (
    select *
    from STAGING.SPOTS_CDC
    qualify row_number() over (partition by SPOT_ID order by COMMIT_TS desc) = 1
) s
on t.SPOT_ID = s.SPOT_ID
when matched and s.OP = 'D' then delete
when matched then update set
    t.TAKEN = s.TAKEN,
    t.EV_CHARGER = s.EV_CHARGER
when not matched and s.OP <> 'D' then insert (
    SPOT_ID,
    TAKEN,
    EV_CHARGER
) values (
    s.SPOT_ID,
    s.TAKEN,
    s.EV_CHARGER
);
