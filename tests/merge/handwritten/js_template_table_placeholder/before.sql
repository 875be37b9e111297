create or replace procedure OPS.MERGE_ANY(TBL string, KEYCOL string)
returns string
language javascript
as
$$
  const cols = [];
  const rs = snowflake.execute({
    sqlText: `select column_name from information_schema.columns
              where table_schema = 'FINAL' and table_name = ? order by ordinal_position`,
    binds: [TBL]
  });
  while (rs.next()) cols.push(rs.getColumnValue(1));

  const sets = cols.filter(c => c !== KEYCOL).map(c => `t."${c}" = s."${c}"`).join(', ');
  const names = cols.map(c => `"${c}"`).join(', ');
  const vals = cols.map(c => `s."${c}"`).join(', ');

  snowflake.execute({ sqlText: `
    merge into FINAL.${TBL} t
    using (
      select * from STAGING.${TBL}_CDC
      qualify row_number() over (partition by "${KEYCOL}" order by COMMIT_TS desc) = 1
    ) s
    on t."${KEYCOL}" = s."${KEYCOL}"
    when matched and s.OP = 'D' then delete
    when matched then update set ${sets}
    when not matched and s.OP <> 'D' then insert (${names}) values (${vals})` });
  return TBL;
$$;
