MERGE INTO FINAL.FLIGHT t
USING (
  SELECT op, flight_id, carrier,
         origin, dest,
         sched_dep, sched_arr, gate, tail_no
  FROM STAGING.FLIGHT_CDC
  QUALIFY ROW_NUMBER() OVER (PARTITION BY flight_id ORDER BY commit_ts DESC) = 1
) s
ON t.flight_id = s.flight_id
WHEN MATCHED AND s.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
  t.carrier = s.carrier,
  t.origin = s.origin, t.dest = s.dest,
  t.sched_dep = s.sched_dep, t.sched_arr = s.sched_arr, t.gate = s.gate, t.tail_no = s.tail_no
WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT
  (flight_id, carrier, origin, dest,
   sched_dep, sched_arr, gate, tail_no)
VALUES
  (s.flight_id, s.carrier, s.origin, s.dest,
   s.sched_dep, s.sched_arr, s.gate, s.tail_no);
