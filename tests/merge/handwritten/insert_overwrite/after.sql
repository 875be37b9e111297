insert overwrite into FINAL.COUNTRY (ISO2, NAME, EU_MEMBER)
select ISO2, NAME, EU_MEMBER
from STAGING.COUNTRY_CDC
where OP <> 'D'
qualify row_number() over (partition by ISO2 order by COMMIT_TS desc) = 1;
