create or replace task FINAL.VENDOR_MERGE
	warehouse = 'ETL_S'
	schedule = 'USING CRON */10 * * * * Europe/Berlin'
as
merge into FINAL.VENDOR
using (
	select OP
		, VENDOR_ID
		, VENDOR_NAME
		, COUNTRY
	from STAGING.VENDOR_CDC
	qualify row_number() over (partition by VENDOR_ID order by COMMIT_TS desc) = 1
) SRC
on VENDOR.VENDOR_ID = SRC.VENDOR_ID
when matched and SRC.OP = 'D' then delete
when matched then update
	set VENDOR_NAME = SRC.VENDOR_NAME
		, COUNTRY = SRC.COUNTRY
when not matched and SRC.OP != 'D' then insert
	( VENDOR_ID
	, VENDOR_NAME
	, COUNTRY
	)
values
	( SRC.VENDOR_ID
	, SRC.VENDOR_NAME
	, SRC.COUNTRY
	);
