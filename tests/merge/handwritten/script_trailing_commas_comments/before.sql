-- invoices -> FINAL. Runs after every load; ask #billing-data before you touch the rounding.
merge into final.invoices f
using (
    select
        cdc_op,
        invoice_id,        -- pk
        account_id,        -- -> accounts
        net_amount,        -- without tax
        vat_amount         -- can be null for reverse charge
    from staging.invoices_cdc
    qualify row_number() over (partition by invoice_id order by cdc_ts desc) = 1
) s
on f.invoice_id = s.invoice_id
when matched and s.cdc_op = 'D' then delete
when matched then update set
    f.account_id = s.account_id,   -- moves between accounts happen
    f.net_amount = s.net_amount,
    f.vat_amount = s.vat_amount    -- see above
when not matched and s.cdc_op <> 'D' then insert (
    invoice_id,
    account_id,
    net_amount,
    vat_amount
) values (
    s.invoice_id,
    s.account_id,
    /* net first, the report needs it so */ s.net_amount,
    s.vat_amount
);
