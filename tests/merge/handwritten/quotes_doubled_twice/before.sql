create or replace procedure FINAL.P_CABLES()
returns varchar
language sql
as '
begin
    execute immediate ''
        merge into FINAL.CABLES t
        using (
            select OP, CABLE_ID, LENGTH_M
            from STAGING.CABLES_CDC
            qualify row_number() over (partition by CABLE_ID order by COMMIT_TS desc) = 1
        ) s
        on t.CABLE_ID = s.CABLE_ID
        when matched and s.OP = ''''D'''' then delete
        when matched then update set LENGTH_M = s.LENGTH_M
        when not matched and s.OP <> ''''D'''' then insert (CABLE_ID, LENGTH_M)
            values (s.CABLE_ID, s.LENGTH_M)
    '';
    return ''ok'';
end;
';
