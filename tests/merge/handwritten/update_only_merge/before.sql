merge into FINAL.USAGE u using (
  select METER_ID, DAY, max_by(KWH, COMMIT_TS) KWH from STAGING.USAGE_CDC where OP = 'U' group by 1, 2
) c on (u.METER_ID = c.METER_ID and u.DAY = c.DAY)
when matched then update set u.KWH = c.KWH;
