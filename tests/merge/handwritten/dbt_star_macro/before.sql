{{ config(materialized='incremental', schema='final', alias='rooms', unique_key='room_id', on_schema_change='append_new_columns') }}

select
    {{ dbt_utils.star(from=source('staging', 'rooms_cdc'), except=['OP', 'COMMIT_TS']) }}
from {{ source('staging', 'rooms_cdc') }}
where op <> 'D'
qualify row_number() over (partition by room_id order by commit_ts desc) = 1
