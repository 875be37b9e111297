create or replace procedure FINAL.LOAD_LEDGER(P_FROM timestamp_ntz)
returns number
language sql
as
$$
declare
    n integer default 0;
    boom exception (-20001, 'ledger: no rows; nothing to do');
begin
    begin transaction;

    delete from FINAL.LEDGER
     where ENTRY_ID in (select ENTRY_ID from STAGING.LEDGER_CDC where COMMIT_TS >= :P_FROM);

    insert into FINAL.LEDGER (ENTRY_ID, ACCOUNT, DEBIT, CREDIT)
    select ENTRY_ID, ACCOUNT, DEBIT, CREDIT
      from STAGING.LEDGER_CDC
     where COMMIT_TS >= :P_FROM
       and OP in ('I', 'U')
   qualify row_number() over (partition by ENTRY_ID order by COMMIT_TS desc) = 1;

    n := sqlrowcount;
    if (n = 0) then
        raise boom;
    end if;

    commit;
    insert into OPS.LOAD_LOG (TABLE_NAME, ROWS_LOADED, NOTE) values ('FINAL.LEDGER', :n, 'delete; insert');
    return n;
exception
    when other then
        rollback;
        raise;
end;
$$;
