execute immediate $$
begin
  merge into FINAL.ROUTES r using (
      select OP, ROUTE_ID, FROM_STOP, TO_STOP, DISTANCE_KM
      from STAGING.ROUTES_CDC
      qualify row_number() over (partition by ROUTE_ID order by COMMIT_TS desc) = 1
  ) c on r.ROUTE_ID = c.ROUTE_ID
  when matched and c.OP = 'D' then delete
  when matched then update set r.FROM_STOP = c.FROM_STOP, r.TO_STOP = c.TO_STOP, r.DISTANCE_KM = c.DISTANCE_KM
  when not matched and c.OP <> 'D' then insert (ROUTE_ID, FROM_STOP, TO_STOP, DISTANCE_KM)
    values (c.ROUTE_ID, c.FROM_STOP, c.TO_STOP, c.DISTANCE_KM);
  return sqlrowcount;
end;
$$
;
