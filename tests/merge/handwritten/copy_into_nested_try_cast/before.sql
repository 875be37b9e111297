copy into STAGING.PERSONS_CDC (OP, COMMIT_TS, ID, NAME, BORN, LOADED_FROM)
from (
    select coalesce(t.$1:metadata.operation::varchar, 'I')             as OP,
           try_cast(t.$1:metadata."commit-ts"::varchar as timestamp_ntz) as COMMIT_TS,
           try_cast(t.$1:data.id::varchar as number(38,0))             as ID,
           t.$1:data.name::varchar                                     as NAME,
           try_cast(t.$1:data.born::varchar as date)                   as BORN,
           metadata$filename                                           as LOADED_FROM
    from @STAGING.PERSONS_STAGE t
)
file_format = (type = json strip_outer_array = true)
pattern = '.*persons/[0-9]{8}-.*'
on_error = continue
purge = false;
