merge into FINAL.SCALES t
using (
    select c.*, hash(* exclude (OP, COMMIT_TS)) as ROW_HASH
    from STAGING.SCALES_CDC c
    qualify row_number() over (partition by SCALE_ID order by COMMIT_TS desc) = 1
) s
on t.SCALE_ID = s.SCALE_ID
when matched and s.OP = 'D' then delete
when matched and s.ROW_HASH is distinct from t.ROW_HASH then update set
    MAX_KG = s.MAX_KG, ROW_HASH = s.ROW_HASH
when not matched and s.OP <> 'D' then insert (SCALE_ID, MAX_KG, ROW_HASH)
    values (s.SCALE_ID, s.MAX_KG, s.ROW_HASH);
