 MERGE INTO final.openings AS o
 USING (SELECT c.op
             , c.store_id
             , c.weekday
             , c.opens
             , c.closes
          FROM staging.openings_cdc AS c
       QUALIFY ROW_NUMBER() OVER (
                 PARTITION BY c.store_id, c.weekday
                     ORDER BY c.commit_ts DESC) = 1) AS n
    ON o.store_id = n.store_id
   AND o.weekday  = n.weekday
  WHEN MATCHED AND n.op = 'D' THEN DELETE
  WHEN MATCHED THEN UPDATE
   SET opens  = n.opens
     , closes = n.closes
  WHEN NOT MATCHED AND n.op <> 'D' THEN
INSERT (store_id, weekday, opens, closes)
VALUES (n.store_id, n.weekday, n.opens, n.closes);
