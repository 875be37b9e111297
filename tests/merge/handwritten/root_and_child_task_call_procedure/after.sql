use role ETL_ADMIN;

create or replace procedure FINAL.P_CLAIM()
returns string
language sql
as
$$
begin
    merge into FINAL.CLAIM f
    using (
        select * from STAGING.CLAIM_CDC
        qualify row_number() over (partition by CLAIM_NO order by COMMIT_TS desc, AR_H_CHANGE_SEQ desc) = 1
    ) c on f.CLAIM_NO = c.CLAIM_NO
    when matched and c.OP = 'D' then delete
    when matched then update set
        f.POLICY_NO = c.POLICY_NO,
        f.RESERVE   = c.RESERVE,
        f.ADJUSTER  = c.ADJUSTER,
        f.DWH_TS    = sysdate()
    when not matched and c.OP <> 'D' then insert
        (CLAIM_NO, POLICY_NO, RESERVE, ADJUSTER, DWH_TS)
        values (c.CLAIM_NO, c.POLICY_NO, c.RESERVE, c.ADJUSTER, sysdate());
    return 'claim: ' || sqlrowcount;
end
$$;

create or replace task FINAL.T_ROOT
    warehouse = ETL_WH
    schedule = '15 minute'
as
    call OPS.START_RUN('insurance');

create or replace task FINAL.T_CLAIM
    warehouse = ETL_WH
    after FINAL.T_ROOT
    when system$stream_has_data('STAGING.CLAIM_STREAM')
as
    call FINAL.P_CLAIM();

alter task FINAL.T_CLAIM resume;
alter task FINAL.T_ROOT resume;
