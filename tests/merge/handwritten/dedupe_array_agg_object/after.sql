merge into FINAL.LEASES t
using (
    with newest as (
        select (array_agg(object_construct_keep_null(*)) within group (order by COMMIT_TS desc))[0] as r
        from STAGING.LEASES_CDC
        group by LEASE_ID
    )
    select
        r:OP::varchar as op,
        r:LEASE_ID::number(38, 0) as lease_id,
        r:TENANT::varchar as tenant,
        r:RENT::number(12, 2) as rent,
        r:DEPOSIT::number(12, 2) as deposit
    from newest
) s
on t.lease_id = s.lease_id
when matched and s.op = 'D' then delete
when matched then update set tenant = s.tenant, rent = s.rent, deposit = s.deposit
when not matched and s.op <> 'D' then insert (lease_id, tenant, rent, deposit) values (s.lease_id, s.tenant, s.rent, s.deposit);
