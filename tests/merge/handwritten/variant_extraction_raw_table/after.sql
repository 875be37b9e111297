merge into FINAL.DEALS d
using (
    with picked as (
        select
            _data:"deal_id"::number as deal_id,
            _data:"title"::varchar as title,
            _data:"value"::number(12, 2) as value,
            _data:"pipeline"::varchar as pipeline,
            _data:"_ab_cdc_deleted_at"::varchar as cdc_deleted_at,
            _extracted_at
        from RAW._RAW_DEALS
    )
    select *
    from picked
    qualify row_number() over (partition by deal_id order by _extracted_at desc) = 1
) p
on d.deal_id = p.deal_id
when matched and p.cdc_deleted_at is not null then delete
when matched then update set
    title = p.title,
    value = p.value,
    pipeline = p.pipeline,
    _extracted_at = p._extracted_at
when not matched and p.cdc_deleted_at is null then insert (deal_id, title, value, pipeline, _extracted_at)
values (p.deal_id, p.title, p.value, p.pipeline, p._extracted_at);
