{% macro merge_crews() %}
  {%- call statement('merge_crews', fetch_result=False, auto_begin=True) -%}
    merge into {{ target.database }}.final.crews as t
    using (
        select op, crew_id, leader
        from {{ target.database }}.staging.crews_cdc
        qualify row_number() over (partition by crew_id order by commit_ts desc) = 1
    ) as s
    on t.crew_id = s.crew_id
    when matched and s.op = 'D' then delete
    when matched then update set
        leader = s.leader
    when not matched and s.op <> 'D' then insert (crew_id, leader)
        values (s.crew_id, s.leader)
  {%- endcall -%}
  {% do log("crews merged; when matched, see query history", info=True) %}
{% endmacro %}
