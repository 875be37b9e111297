{{
    config(
        alias='orders',
        schema='final',
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='order_id',
        on_schema_change='fail'
    )
}}

with changes as (

    select * from {{ source('staging', 'orders_cdc') }}
    {% if is_incremental() %}
    -- three days back; late files happen
    where commit_ts > (select dateadd('day', -3, max(commit_ts)) from {{ this }})
    {% endif %}

),

latest as (

    select
        order_id,
        customer_id,
        status,
        op = 'D' as is_deleted,
        commit_ts
    from changes
    qualify row_number() over (partition by order_id order by commit_ts desc) = 1

)

select * from latest
