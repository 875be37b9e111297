create or replace procedure FINAL.P_SKILLS()
returns varchar
language sql
as
$$
begin
    execute immediate 'merge into FINAL.SKILLS t
        using (select OP, SKILL_ID, LABEL, CATEGORY from STAGING.SKILLS_CDC
               qualify row_number() over (partition by SKILL_ID order by COMMIT_TS desc) = 1) s
        on t.SKILL_ID = s.SKILL_ID
        when matched and s.OP = ''D'' then delete
        when matched then update set t.LABEL = s.LABEL, t.CATEGORY = s.CATEGORY
        when not matched and s.OP <> ''D'' then insert (SKILL_ID, LABEL, CATEGORY) values (s.SKILL_ID, s.LABEL, s.CATEGORY)';
    return 'ok';
end;
$$;
