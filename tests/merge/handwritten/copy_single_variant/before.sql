create or replace pipe STAGING.CLICKS_PIPE auto_ingest = true as
copy into STAGING.CLICKS_RAW (REC, FILE_NAME)
from (select $1, metadata$filename from @STAGING.CLICKS_STAGE)
file_format = (type = parquet);
