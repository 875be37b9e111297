delete from FINAL.HARVEST where (FIELD_ID, YEAR) in (select FIELD_ID, YEAR from STAGING.HARVEST_CDC);
insert into FINAL.HARVEST
	(FIELD_ID, YEAR,
	 TONS, MOISTURE,
	 SRC)
(
	select FIELD_ID, YEAR,
	       TONS, MOISTURE,
	       'farm; app' as SRC
	  from STAGING.HARVEST_CDC
	 where nvl(OP, 'I') <> 'D'
	qualify row_number() over (partition by FIELD_ID, YEAR order by COMMIT_TS desc) = 1
);
