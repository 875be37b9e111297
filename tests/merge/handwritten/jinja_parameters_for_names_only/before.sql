merge into {{ params.db }}.FINAL.GATES as TGT
using (select * from (select *, row_number() over (partition by GATE_ID order by CDC_TS desc) as r
 from {{ params.db }}.STAGING.GATES_CDC) where r = 1) as SRC
on SRC.GATE_ID = TGT.GATE_ID
when matched and SRC.CDC_OP = 'D' then delete
when matched then update set
TERMINAL = SRC.TERMINAL,
ETL_UPDATED = current_timestamp()
when not matched and SRC.CDC_OP <> 'D' then insert
(
"GATE_ID",
"TERMINAL",
"ETL_CREATED",
"ETL_UPDATED"
)
values
(
"GATE_ID",
"TERMINAL",
current_timestamp(),
null
)
