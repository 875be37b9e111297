create or replace pipe RAW.CUSTOMER_PIPE
    auto_ingest = true
    integration = 'S3_EVENTS_INT'
    error_integration = LOAD_ERRORS
as
copy into RAW.CUSTOMER_LANDING
    ( "Op"
    , "TxTs"
    , "CustomerId"
    , "Full Name"
    , "_file"
    )
from (
    select $1:"Op"::string
         , $1:"TxTs"::string
         , $1:"CustomerId"::number
         , $1['Full Name']::string
         , metadata$filename
    from @RAW.LAKE/crm/customer/
)
file_format = (format_name = 'RAW.PARQUET_FF')
pattern = '.*/customer/.*[.]parquet'
on_error = 'SKIP_FILE';
