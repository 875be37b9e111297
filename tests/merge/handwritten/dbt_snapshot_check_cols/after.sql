{% snapshot plans_snapshot %}
{{
  config(
    target_schema='final',
    unique_key='plan_id',
    strategy='check',
    check_cols=[
      'name',
      'price',
      'trial_days',
    ],
    invalidate_hard_deletes=True
  )
}}
select
  plan_id,
  name,
  price,
  trial_days
from {{ source('staging', 'plans_cdc') }}
where op != 'D'
qualify row_number() over (partition by plan_id order by commit_ts desc) = 1
{% endsnapshot %}
