create or replace procedure FINAL.P_QUOTAS(dry_run boolean)
returns table (kind varchar, n number)
language sql
execute as caller
as
declare
    pending number default 0;
    res resultset;
begin
    select count(*) into :pending from STAGING.QUOTAS_CDC;
    if (:pending = 0) then
        res := (select 'nothing' as kind, 0 as n);
        return table(res);
    end if;
    let note varchar := 'merge into FINAL.QUOTAS; ' || :pending || ' rows';
    begin
        begin transaction;
        merge into FINAL.QUOTAS t
        using (
            select OP, QUOTA_ID, LIMIT_GB
            from STAGING.QUOTAS_CDC
            qualify row_number() over (partition by QUOTA_ID order by COMMIT_TS desc) = 1
        ) s
        on t.QUOTA_ID = s.QUOTA_ID
        when matched and s.OP = 'D' then delete
        when matched then update set LIMIT_GB = s.LIMIT_GB
        when not matched and s.OP <> 'D' then insert (QUOTA_ID, LIMIT_GB) values (s.QUOTA_ID, s.LIMIT_GB);
        if (:dry_run) then
            rollback;
        else
            insert into OPS.NOTES (AT, TEXT) values (current_timestamp(), :note);
            commit;
        end if;
    exception
        when statement_error then
            rollback;
            raise;
    end;
    res := (select 'rows' as kind, :pending as n);
    return table(res);
end;
