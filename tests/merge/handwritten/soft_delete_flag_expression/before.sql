merge into final.coupons t
using (
    select
        coupon_id                       as coupon_id,
        code                            as code,
        percent_off                     as percent_off,
        iff(op = 'D', 'Y', 'N')         as deleted_flag
    from staging.coupons_cdc
    qualify row_number() over (partition by coupon_id order by commit_ts desc) = 1
) s
on t.coupon_id = s.coupon_id
when matched then update set
    t.code         = s.code,
    t.percent_off  = s.percent_off,
    t.deleted_flag = s.deleted_flag
when not matched then insert (coupon_id, code, percent_off, deleted_flag)
values (s.coupon_id, s.code, s.percent_off, s.deleted_flag);
