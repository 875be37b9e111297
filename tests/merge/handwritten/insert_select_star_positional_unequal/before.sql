insert into FINAL.LOGS
select *, current_timestamp()
from STAGING.LOGS_CDC;
