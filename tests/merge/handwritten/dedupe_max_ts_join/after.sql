merge into FINAL.RATES as dst
using (
    select c.OP, c.CURRENCY, c.RATE_DATE, c.MID, c.SOURCE_BANK
    from STAGING.RATES_CDC c
    join (
        select CURRENCY, RATE_DATE, max(COMMIT_TS) as MAX_TS
        from STAGING.RATES_CDC
        group by CURRENCY, RATE_DATE
    ) latest
      on latest.CURRENCY = c.CURRENCY
     and latest.RATE_DATE = c.RATE_DATE
     and latest.MAX_TS = c.COMMIT_TS
) as src
on dst.CURRENCY = src.CURRENCY and dst.RATE_DATE = src.RATE_DATE
when matched and src.OP = 'D' then delete
when matched then update set dst.MID = src.MID, dst.SOURCE_BANK = src.SOURCE_BANK
when not matched and src.OP <> 'D' then insert (CURRENCY, RATE_DATE, MID, SOURCE_BANK)
    values (src.CURRENCY, src.RATE_DATE, src.MID, src.SOURCE_BANK);
