merge into FINAL.CONTRACTS tgt
using (
    select *
    from STAGING.CONTRACTS_CDC
    qualify row_number() over (partition by CONTRACT_ID order by COMMIT_TS desc) = 1
) src
on tgt.CONTRACT_ID = src.CONTRACT_ID
when matched and src.OP = 'D' then delete
when matched then update set
    -- who
    PARTY_A = src.PARTY_A,
    PARTY_B = src.PARTY_B,

    -- what
    SIGNED_ON = src.SIGNED_ON,
    VALUE_EUR = src.VALUE_EUR,
    NOTICE_DAYS = src.NOTICE_DAYS,

    -- audit
    ETL_TS = current_timestamp(),
    ETL_USER = current_user()
when not matched and src.OP <> 'D' then insert (
    -- who
    CONTRACT_ID,
    PARTY_A,
    PARTY_B,

    -- what
    SIGNED_ON,
    VALUE_EUR,
    NOTICE_DAYS,

    -- audit
    ETL_TS,
    ETL_USER
) values (
    -- who
    src.CONTRACT_ID,
    src.PARTY_A,
    src.PARTY_B,

    -- what
    src.SIGNED_ON,
    src.VALUE_EUR,
    src.NOTICE_DAYS,

    -- audit
    current_timestamp(),
    current_user()
);
