SET since = (SELECT MAX(done_until) FROM OPS.WATERMARKS WHERE table_name = 'FARES');

MERGE INTO FINAL.FARES f
USING (
    SELECT op, fare_id, zone_from, zone_to
    FROM STAGING.FARES_CDC CHANGES (INFORMATION => APPEND_ONLY) AT (TIMESTAMP => $since::TIMESTAMP_LTZ)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY fare_id ORDER BY commit_ts DESC) = 1
) c
ON f.fare_id = c.fare_id
WHEN MATCHED AND c.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET f.zone_from = c.zone_from, f.zone_to = c.zone_to
WHEN NOT MATCHED AND c.op <> 'D' THEN INSERT (fare_id, zone_from, zone_to) VALUES (c.fare_id, c.zone_from, c.zone_to);
