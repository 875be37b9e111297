create or replace procedure FINAL.P_PARTNERS()
returns varchar
language sql
execute as owner
as
$$
declare
    cols  varchar;
    vals  varchar;
    sets  varchar;
begin
    select listagg('"' || column_name || '"', ', ') within group (order by ordinal_position),
           listagg('s."' || column_name || '"', ', ') within group (order by ordinal_position),
           listagg(iff(column_name = 'PARTNER_ID', null, '"' || column_name || '" = s."' || column_name || '"'), ', ')
               within group (order by ordinal_position)
      into :cols, :vals, :sets
      from information_schema.columns
     where table_schema = 'FINAL'
       and table_name = 'PARTNERS';

    execute immediate 'merge into FINAL.PARTNERS t using (select * from STAGING.PARTNERS_CDC '
        || 'qualify row_number() over (partition by PARTNER_ID order by COMMIT_TS desc) = 1) s '
        || 'on t.PARTNER_ID = s.PARTNER_ID '
        || 'when matched and s.OP = ''D'' then delete '
        || 'when matched then update set ' || sets
        || ' when not matched and s.OP <> ''D'' then insert (' || cols || ') values (' || vals || ')';
    return 'done';
end;
$$;
