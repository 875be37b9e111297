insert overwrite into FINAL.COUNTRY (ISO2, NAME)
select ISO2, NAME
from STAGING.COUNTRY_CDC
where OP <> 'D'
qualify row_number() over (partition by ISO2 order by COMMIT_TS desc) = 1;
