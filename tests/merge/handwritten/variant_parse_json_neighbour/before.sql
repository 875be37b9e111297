merge into FINAL.EVENTS as e
using (
  select OP, EVENT_ID,
         try_parse_json(PAYLOAD) as PAYLOAD,
         try_parse_json(CONTEXT) as CONTEXT,
         try_to_timestamp_ntz(COMMIT_TS) as _COMMIT_TS
  from STAGING.EVENTS_CDC
  qualify row_number() over (partition by EVENT_ID order by COMMIT_TS desc) = 1
) as n
on e.EVENT_ID = n.EVENT_ID
when matched and n.OP = 'D' then delete
when matched then update set
  e.PAYLOAD = n.PAYLOAD, e.CONTEXT = n.CONTEXT,
  e._COMMIT_TS = n._COMMIT_TS
when not matched and n.OP <> 'D' then insert
  (EVENT_ID, PAYLOAD, CONTEXT, _COMMIT_TS)
  values (n.EVENT_ID, n.PAYLOAD, n.CONTEXT, n._COMMIT_TS);
