merge into FINAL.BIKES b
using (select * from STAGING.BIKES_CDC qualify row_number() over (partition by BIKE_ID order by COMMIT_TS desc) = 1) c
on b.BIKE_ID = c.BIKE_ID
when matched and c.OP = 'D' then delete
when matched then update set
<<<<<<< HEAD
    b.FRAME = c.FRAME
=======
    b.FRAME = upper(c.FRAME),
    b.BATTERY = c.BATTERY
>>>>>>> battery-columns
when not matched and c.OP <> 'D' then insert (BIKE_ID, FRAME, BATTERY)
values (c.BIKE_ID, c.FRAME, c.BATTERY);
