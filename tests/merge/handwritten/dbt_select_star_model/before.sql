{{ config(materialized='incremental', incremental_strategy='merge', unique_key='tag_id', schema='final', alias='tags') }}

select *
from {{ source('staging', 'tags_cdc') }}
{% if is_incremental() %}
where commit_ts > (select coalesce(max(commit_ts), '1900-01-01') from {{ this }})
{% endif %}
qualify row_number() over (partition by tag_id order by commit_ts desc) = 1
