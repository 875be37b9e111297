{% set columns = {'lap_id': 'number(38, 0)', 'seconds': 'varchar', 'driver': 'varchar'} %}

{{ config(materialized='incremental', schema='final', alias='laps', unique_key='lap_id') }}

select
{%- for name, kind in columns.items() %}
    cast({{ name }} as {{ kind }}) as {{ name }}{{ ',' if not loop.last }}
{%- endfor %}
from {{ source('staging', 'laps_cdc') }}
where op <> 'D'
qualify row_number() over (partition by lap_id order by commit_ts desc) = 1
