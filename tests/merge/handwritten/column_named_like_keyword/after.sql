merge into FINAL.MENU m
using (
    select OP, ID, "ORDER", "VALUES", "UPDATE SET", date, price, "GROUP"
    from STAGING.MENU_CDC
    qualify row_number() over (partition by ID order by COMMIT_TS desc) = 1
) n
on m.ID = n.ID
when matched and n.OP = 'D' then delete
when matched then update set
    m."ORDER" = n."ORDER",
    m."VALUES" = n."VALUES",
    m."UPDATE SET" = n."UPDATE SET",
    m.date = n.date,
    m.price = n.price,
    m."GROUP" = n."GROUP"
when not matched and n.OP <> 'D' then insert
    (ID, "ORDER", "VALUES", "UPDATE SET", date, price, "GROUP")
values
    (n.ID, n."ORDER", n."VALUES", n."UPDATE SET", n.date, n.price, n."GROUP");
