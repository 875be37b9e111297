create or replace procedure OPS.MERGE_NOTES(tgt varchar, src varchar)
returns varchar
language sql
as
$$
begin
    merge into identifier(:tgt) t
    using (
        select OP, NOTE_ID, BODY
        from identifier(:src)
        qualify row_number() over (partition by NOTE_ID order by COMMIT_TS desc) = 1
    ) s
    on t.NOTE_ID = s.NOTE_ID
    when matched and s.OP = 'D' then delete
    when matched then update set BODY = s.BODY
    when not matched and s.OP <> 'D' then insert (NOTE_ID, BODY) values (s.NOTE_ID, s.BODY);
    return 'ok';
end;
$$;

call OPS.MERGE_NOTES('FINAL.NOTES', 'STAGING.NOTES_CDC');
call OPS.MERGE_NOTES('ARCHIVE.NOTES_2019', 'STAGING.NOTES_2019');
