MERGE INTO FINAL.DIM_STORE d
USING (
    SELECT s.store_id AS merge_key, s.op, s.commit_ts, s.store_id, s.store_name, s.region, s.manager_name
    FROM STAGING.STORE_CDC s
    UNION ALL
    SELECT NULL AS merge_key, s.op, s.commit_ts, s.store_id, s.store_name, s.region, s.manager_name
    FROM STAGING.STORE_CDC s
    JOIN FINAL.DIM_STORE x
      ON x.store_id = s.store_id
     AND x.current_flag = 'Y'
     AND (x.store_name IS DISTINCT FROM s.store_name OR x.region IS DISTINCT FROM s.region OR x.manager_name IS DISTINCT FROM s.manager_name)
    WHERE s.op = 'U'
) u
ON d.store_id = u.merge_key AND d.current_flag = 'Y'
WHEN MATCHED AND (u.op = 'D' OR d.store_name IS DISTINCT FROM u.store_name OR d.region IS DISTINCT FROM u.region OR d.manager_name IS DISTINCT FROM u.manager_name)
    THEN UPDATE SET d.eff_to = u.commit_ts, d.current_flag = 'N'
WHEN NOT MATCHED AND u.op <> 'D'
    THEN INSERT (store_id, store_name, region, manager_name, eff_from, eff_to, current_flag)
    VALUES (u.store_id, u.store_name, u.region, u.manager_name, u.commit_ts, TO_TIMESTAMP_NTZ('2999-12-31'), 'Y');
