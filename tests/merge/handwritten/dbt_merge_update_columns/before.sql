{{ config(
    materialized = 'incremental',
    schema = 'final',
    alias = 'seats',
    unique_key = 'seat_id',
    merge_update_columns = ['row_no', 'class'],
) }}

select
      seat_id
    , row_no
    , class
    , current_timestamp() as first_seen  {# stays as it was on update #}
from {{ source('staging', 'seats_cdc') }}
where op <> 'D'
{%- if is_incremental() %}
  and commit_ts >= '{{ var("since", "1970-01-01") }}'
{%- endif %}
qualify row_number() over (partition by seat_id order by commit_ts desc) = 1
