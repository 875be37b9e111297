create or replace task FINAL.T_BOOKINGS
  warehouse = HOTEL_WH
  schedule = '10 minute'
as
merge into FINAL.BOOKINGS b
using (
  select OP, BOOKING_ID, ROOM_ID, ARRIVAL, DEPARTURE
  from STAGING.BOOKINGS_CDC
  qualify row_number() over (partition by BOOKING_ID order by COMMIT_TS desc) = 1
) c
on b.BOOKING_ID = c.BOOKING_ID
when matched and c.OP = 'D' then
  delete
when matched and c.OP = 'U' then
  update set
    b.ROOM_ID = c.ROOM_ID,
    b.ARRIVAL = c.ARRIVAL,
    b.DEPARTURE = c.DEPARTURE,
    b.LAST_OP = 'U'
when matched and c.OP = 'I' then
  update set
    b.ROOM_ID = c.ROOM_ID,
    b.ARRIVAL = c.ARRIVAL,
    b.DEPARTURE = c.DEPARTURE,
    b.LAST_OP = 'I'
when not matched and c.OP = 'I' then
  insert (BOOKING_ID, ROOM_ID, ARRIVAL, DEPARTURE, LAST_OP)
  values (c.BOOKING_ID, c.ROOM_ID, c.ARRIVAL, c.DEPARTURE, 'I')
when not matched and c.OP = 'U' then
  insert (BOOKING_ID, ROOM_ID, ARRIVAL, DEPARTURE, LAST_OP)
  values (c.BOOKING_ID, c.ROOM_ID, c.ARRIVAL, c.DEPARTURE, 'U');
