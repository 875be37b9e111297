merge into WORK.OFFERS_CURRENT w
using (select * from STAGING.OFFERS_CDC qualify row_number() over (partition by OFFER_ID order by COMMIT_TS desc) = 1) c
on w.OFFER_ID = c.OFFER_ID
when matched then update set w.OP = c.OP, w.RATE = c.RATE
when not matched then insert (OP, OFFER_ID, RATE) values (c.OP, c.OFFER_ID, c.RATE);

merge into FINAL.OFFERS f
using WORK.OFFERS_CURRENT w
on f.OFFER_ID = w.OFFER_ID
when matched and w.OP = 'D' then delete
when matched then update set f.RATE = w.RATE
when not matched and w.OP <> 'D' then insert (OFFER_ID, RATE) values (w.OFFER_ID, w.RATE);
