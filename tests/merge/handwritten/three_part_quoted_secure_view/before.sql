create or replace secure view "DWH"."STAGING"."DONORS_CURRENT" (
    "OP",
    "DONOR_ID",
    "EMAIL" with masking policy "DWH"."GOV"."MASK_EMAIL",
    "AMOUNT"
)
copy grants
comment = 'newest row per donor; read by the merge'
as
select
    "OP",
    "DONOR_ID",
    "EMAIL",
    "AMOUNT"
from "DWH"."STAGING"."DONORS_CDC"
qualify row_number() over (partition by "DONOR_ID" order by "COMMIT_TS" desc) = 1;
