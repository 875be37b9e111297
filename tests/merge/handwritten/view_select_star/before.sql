create or replace view STAGING.BOOKS_LATEST as
select * from STAGING.BOOKS_CDC
qualify row_number() over (partition by ISBN order by COMMIT_TS desc) = 1;
