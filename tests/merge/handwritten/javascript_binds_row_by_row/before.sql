create or replace procedure FINAL.P_PINGS() returns float language javascript as
$$
var rs = snowflake.execute({sqlText: "select PING_ID, HOST from STAGING.PINGS_CDC where OP <> 'D'"});
var n = 0;
while (rs.next()) {
  var row = [rs.getColumnValue(1), rs.getColumnValue(2)];
  snowflake.execute({sqlText: "delete from FINAL.PINGS where PING_ID = ?", binds: [row[0]]});
  snowflake.execute({sqlText: "insert into FINAL.PINGS (PING_ID, HOST) values (?, ?)", binds: row});
  n++;
}
return n;
$$;
